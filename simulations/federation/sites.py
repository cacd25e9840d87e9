"""The sites of a simulation: one folder a session, with the same files that a real site would keep beside its data.

Owns what is written into them. Must not know who reads them.
"""

from pathlib import Path

from client.site import STATE
from common.config import Config
from common.config.showing import spell
from common.corpora.manifest import Manifest
from common.files import atomic_write

SITES = "sites"

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


def write_sites(run: Path, config: Config, manifest: Manifest) -> tuple[str, ...]:
    """A site for each session of a corpus; the answer is their names, in the order of their clients."""
    for session in manifest.sessions:
        folder = run / SITES / site_name(session)
        atomic_write(folder / "policy.toml", POLICY.encode())
        atomic_write(folder / "site.toml", _site_file(session, config, manifest).encode())
    return tuple(site_name(session) for session in manifest.sessions)


def site_name(session: str) -> str:
    """A session's name as sites are named: letters, digits and a few signs.

    >>> site_name("12+14"), site_name("Session 1")
    ('12+14', 'Session-1')
    """
    return "".join(sign if sign.isalnum() or sign in "_.+-" else "-" for sign in session)


def _site_file(session: str, config: Config, manifest: Manifest) -> str:
    settings = {
        "session": site_name(session),
        "corpus": manifest.corpus,
        "root": str(manifest.root.resolve()),
        "holds": session,
        "options": list(config.corpus.options),
        "emotions": manifest.labels,
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
    sections = [("", settings), ("features", features), ("runtime", runtime)]
    return "\n".join(
        line
        for name, section in sections
        for line in ([f"\n[{name}]"] * bool(name) + [f"{key} = {spell(value)}" for key, value in section.items()])
    )
