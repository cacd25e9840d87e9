"""Words that a shell completes: presets, corpora, protocols and modes.

Owns which words an option may take, and the file that keeps the names of protocols and modes: finding them loads
PyTorch, for which nobody waits at a TAB. Must not know a command.
"""

import json
from collections.abc import Iterable
from pathlib import Path

KEPT = "completion.json"
"""In the cache."""


def presets(incomplete: str) -> list[str]:
    """Presets that begin so.

    >>> presets("em")
    ['emodb']
    """
    from common.config import PRESETS

    return _beginning(PRESETS, incomplete)


def corpora(incomplete: str) -> list[str]:
    """Corpora that begin so.

    >>> corpora("table")
    ['table']
    """
    from common.corpora import CORPORA

    return _beginning(CORPORA.methods, incomplete)


def protocols(incomplete: str) -> list[str]:
    """Protocols that begin so."""
    return _beginning(_names("protocols"), incomplete)


def modes(incomplete: str) -> list[str]:
    """Lists of modes, of which the last one begins so."""
    before, comma, last = incomplete.rpartition(",")
    taken = {name.strip() for name in before.split(",")}
    return [f"{before}{comma}{name}" for name in _beginning(_names("modes"), last.lstrip()) if name not in taken]


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _names(kind: str) -> list[str]:
    """From the cache, or found anew where another version or another package's method has come since."""
    from common.settings import RuntimeConfig

    kept, state = RuntimeConfig().cache_folder / KEPT, _state()
    try:
        stored = json.loads(kept.read_text(encoding="utf-8"))
        if stored["state"] == state:
            return [str(name) for name in stored[kind]]
    except (OSError, ValueError, KeyError, TypeError):
        pass  # nothing is kept, or nothing that can be read
    names = _found()
    _keep(kept, {"state": state, **names})
    return names[kind]


def _found() -> dict[str, list[str]]:
    """By kind; what takes long is PyTorch, which both need."""
    from common.protocols import PROTOCOLS
    from simulations.comparison.modes import SPOKEN

    return {"modes": list(SPOKEN), "protocols": list(PROTOCOLS.methods)}


def _state() -> list[str]:
    """What the names hang on."""
    from importlib.metadata import entry_points  # slow enough to be felt where nothing is completed

    from common.version import VERSION

    here = Path(__file__).parent
    folders = [here.parent / "common" / room / "methods" for room in ("synthesizers", "protocols")]
    files = [*(path for folder in folders for path in sorted(folder.glob("*.py"))), here / "comparison" / "modes.py"]
    own = [f"{path.name} {path.stat().st_mtime_ns}" for path in files]
    groups = ("eyesoff.synthesizers", "eyesoff.protocols")
    return [VERSION, *own, *sorted(point.value for group in groups for point in entry_points(group=group))]


def _keep(place: Path, content: dict[str, list[str]]) -> None:
    from common.errors import UserError
    from common.files import atomic_json

    try:
        atomic_json(place, content)
    except UserError:
        return  # a full disk is no reason to complete nothing
