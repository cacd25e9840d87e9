"""The sites of a simulation: one folder a session, with the same files that a real site would keep beside its data.

Owns what is written into them, and which client has which. Must not know who tunes there.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from client.site import STATE, Site, load_site
from common.config import Config, load_config
from common.config.showing import spell
from common.corpora import labelled_corpus
from common.corpora.manifest import Manifest
from common.errors import UserError
from common.files import atomic_write

SITES, SITE = "sites", "site.toml"
LONGEST_NAME = 64

POLICY = """\
# A simulated site hides nothing from the one person who runs it all; the default policy tells less.
tell_counts = true
per_speaker = true
tunings_a_day = 100
scorings_a_day = 10000
steps = 1000000
mebibytes_a_day = 1000000
minimum_utterances = 1
minimum_speakers = 1
"""


def write_sites(run: Path, config: Config, manifest: Manifest) -> None:
    """A site for each session of a corpus; clients are numbered in the order of their names."""
    names = {session: site_name(session) for session in manifest.sessions}
    if len(set(names.values())) < len(names) or not all(names.values()):
        alike = ", ".join(f"{session!r} is {name!r}" for session, name in names.items())
        raise UserError("sessions whose names are alike as sites are named", where=alike, remedy="rename a session")
    for session, name in names.items():
        folder = run / SITES / name
        atomic_write(folder / "policy.toml", POLICY.encode())
        atomic_write(folder / SITE, session_file(session, config, manifest).encode())


def own_sites(preset: str, number: int) -> Path:
    """The sites of a bare `flwr run`, for which nobody has written any: those of the preset's own corpus.

    Written by every client anew, each file at once and always the same, so that none waits for another.
    """
    config = load_config(preset)
    run = config.runtime.unnamed_run(number)
    write_sites(run, config, labelled_corpus(config))
    return run / SITES


def simulated_site(folder: Path, number: int) -> Site:
    """The site of a simulated client: one of the site files below a folder, by their order."""
    files = sorted(folder.glob(f"*/{SITE}"))
    if number >= len(files):
        raise UserError(f"no site file for client {number}", where=folder, remedy=f"it has {len(files)}")
    return load_site(files[number])


def site_name(session: str) -> str:
    """A session's name as sites are named: letters, digits and a few signs.

    >>> site_name("12+14"), site_name("Session 1"), site_name("_a/b")
    ('12+14', 'Session-1', 'a-b')
    """
    return re.sub(r"[^A-Za-z0-9_.+-]", "-", session).lstrip("_.+-")[:LONGEST_NAME]


def session_file(session: str, config: Config, manifest: Manifest) -> str:
    """The site file of a session of a corpus at hand."""
    return site_file(
        config,
        session=site_name(session),
        corpus=manifest.corpus,
        root=manifest.root.resolve(),
        holds=session,
        emotions=manifest.labels,
    )


def site_file(config: Config, *, session: str, corpus: str, root: Path, holds: str, emotions: Sequence[str]) -> str:
    """What a site is, in the words of its own file, with a policy beside it and the features of a configuration."""
    settings = {
        "session": session,
        "corpus": corpus,
        "root": str(root),
        "holds": holds,
        "options": list(config.corpus.options),
        "emotions": list(emotions),
        "state": STATE,
        "policy": "policy.toml",
    }
    runtime = {
        "threads": config.campaign.client_threads,
        "device": config.runtime.device,
        "precision": config.runtime.precision,
        "workers": 1,
    }
    features = config.features.model_dump(mode="json")
    lines = [_line(setting) for setting in settings.items()]
    for name, section in {"features": features, "runtime": runtime}.items():
        lines += ["", f"[{name}]", *map(_line, section.items())]
    return "\n".join(lines) + "\n"


def _line(setting: tuple[str, object]) -> str:
    return f"{setting[0]} = {spell(setting[1])}"
