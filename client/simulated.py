"""The sites of a simulation: one folder a session, with the same files that a real site would keep beside its data.

Owns what is written into them, and which client has which. Must not know who tunes there.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from client.bases import read_base
from client.bounds import Bounds
from client.dice import SECRET, write_secret
from client.peers import PEERS, write_key
from client.recipes import recipe_of
from client.site import STATE, Site, load_site
from common.config import Config
from common.config.showing import spell
from common.config.unnamed import default_base
from common.corpora import labelled_corpus
from common.corpora.manifest import Manifest
from common.errors import UserError
from common.files import atomic_write
from common.privacy.accountant import LARGEST_EPSILON
from common.wire import Precision

SITES, SITE = "sites", "site.toml"
LONGEST_NAME = 64
MANY = 1_000_000


def open_policy(config: Config, base: str) -> str:
    """A simulated site hides nothing from the one person who runs it all; the default policy tells less.

    It accepts the networks and the recipe of its own campaign, and any number that a configuration may hold.
    """
    rules = {
        "bases": [base],
        "recipes": [recipe_of(config).digest],
        "precisions": [precision.value for precision in Precision],
        "tell_counts": True,
        "per_speaker": True,
        "scoring_epsilon": "exact",
        "tunings_a_day": MANY,
        "scorings_a_day": MANY,
        "releases_in_all": MANY,
        "scorings_in_all": MANY,
        "epsilon_in_all": LARGEST_EPSILON,
        "minutes_a_request": MANY,
        "mebibytes_a_day": MANY,
        "gibibytes_of_state": float(MANY),
        "minimum_utterances": 1,
        "minimum_speakers": 1,
        "minimum_test_utterances": 1,
    }
    if config.release.summed:
        rules |= {"allow": ["description", "scored", "sum"], "sums_of_one": MANY}
    heading = "# A simulated site: everything is one person's, so it accepts whatever its own campaign asks for."
    bounds = [_line((name, [-1e12, 1e12])) for name in Bounds.model_fields]
    return "\n".join([heading, *map(_line, rules.items()), "", "[bounds]", *bounds]) + "\n"


def write_sites(run: Path, config: Config, manifest: Manifest, base: str) -> None:
    """A site for each session of a corpus; clients are numbered in the order of their names.

    Their secrets come from the configuration's seed, so that the same seed gives the same results; `base` is the digest
    of the networks that the campaign starts from.
    """
    names = {session: site_name(session) for session in manifest.sessions}
    if len(set(names.values())) < len(names) or not all(names.values()):
        alike = ", ".join(f"{session!r} is {name!r}" for session, name in names.items())
        raise UserError("sessions whose names are alike as sites are named", where=alike, remedy="rename a session")
    for session, name in names.items():
        folder = run / SITES / name
        write_secret(folder / STATE / SECRET, simulated_secret(config.seed, name))
        for other in {*names.values()} - {name} if config.release.summed else ():
            write_key(folder / STATE / PEERS / other, simulated_secret(config.seed, "\x1f".join(sorted((name, other)))))
        atomic_write(folder / "policy.toml", open_policy(config, base).encode())
        atomic_write(folder / SITE, session_file(session, config, manifest).encode())


def simulated_secret(seed: int, session: str) -> bytes:
    """Where a simulated site's draws come from: no secret to the one person who runs it all."""
    return hashlib.sha256(f"{seed}\x1f{session}".encode()).digest()


def own_sites(config: Config, number: int) -> Path:
    """The sites of a bare `flwr run`, for which nobody has written any: those of the configuration's own corpus.

    Written by every client anew, each file at once and always the same, so that none waits for another.
    """
    run = config.runtime.unnamed_run(number)
    base = read_base(default_base(config)).digest
    write_sites(run, config, labelled_corpus(config.corpus, config.runtime), base)
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
        root=(manifest.source or manifest.root).resolve(),
        holds=session,
        emotions=manifest.labels,
        cache=config.runtime.cache,
    )


def site_file(
    config: Config, *, session: str, corpus: str, root: Path, holds: str, emotions: Sequence[str], cache: str = ""
) -> str:
    """What a site is, in the words of its own file, with a policy beside it and the features of a configuration."""
    settings: dict[str, object] = {
        "session": session,
        "corpus": corpus,
        "root": str(root),
        "holds": holds,
        "options": list(config.corpus.options),
        "emotions": list(emotions),
        "state": STATE,
        "policy": "policy.toml",
    }
    if config.corpus.skew != "none":
        settings |= {"skew": config.corpus.skew, "skew_seed": config.corpus.skew_seed}
    runtime: dict[str, object] = {
        "threads": config.campaign.client_threads,
        "device": config.runtime.device,
        "precision": config.runtime.precision,
        "workers": 1,
    }
    if cache:
        runtime["cache"] = str(Path(cache).expanduser().resolve())
    if config.runtime.noises:
        runtime["noises"] = str(Path(config.runtime.noises).expanduser().resolve())
    features, vectors = config.features.model_dump(mode="json"), config.vectors.model_dump(mode="json")
    lines = [_line(setting) for setting in settings.items()]
    for name, section in {"features": features, "vectors": vectors, "runtime": runtime}.items():
        lines += ["", f"[{name}]", *map(_line, section.items())]
    return "\n".join(lines) + "\n"


def _line(setting: tuple[str, object]) -> str:
    return f"{setting[0]} = {spell(setting[1])}"
