"""Words that a shell completes: presets, corpora, protocols and modes.

Owns which words an option may take, and the file that keeps the names of modes: finding them loads PyTorch, for which
nobody waits at a TAB. Must not know a command.
"""

import json
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path

from common.version import VERSION

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
    """Protocols that begin so.

    >>> protocols("spl")
    ['split']
    """
    from common.protocols import PROTOCOLS

    return _beginning(PROTOCOLS.methods, incomplete)


def modes(incomplete: str) -> list[str]:
    """Lists of modes, of which the last one begins so."""
    before, comma, last = incomplete.rpartition(",")
    taken = {name.strip() for name in before.split(",")}
    return [f"{before}{comma}{name}" for name in _beginning(_modes(), last.lstrip()) if name not in taken]


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _modes() -> list[str]:
    """From the cache, or found anew where another version or another package's method has come since."""
    from common.settings import RuntimeConfig

    kept, state = RuntimeConfig().cache_folder / KEPT, _state()
    try:
        stored = json.loads(kept.read_text(encoding="utf-8"))
        if stored["state"] == state:
            return [str(name) for name in stored["modes"]]
    except (OSError, ValueError, KeyError, TypeError):
        pass  # nothing is kept, or nothing that can be read
    names = _found()
    _keep(kept, {"state": state, "modes": names})
    return names


def _found() -> list[str]:
    from simulations.comparison.modes import SPOKEN

    return list(SPOKEN)


def _state() -> list[str]:
    """What the names of modes hang on."""
    here = Path(__file__).parent
    files = [*(here.parent / "common" / "synthesizers" / "methods").glob("*.py"), here / "comparison" / "modes.py"]
    own = [f"{path.name} {path.stat().st_mtime_ns}" for path in sorted(files)]
    return [VERSION, *own, *sorted(point.value for point in entry_points(group="eyesoff.synthesizers"))]


def _keep(place: Path, content: dict[str, list[str]]) -> None:
    from common.errors import UserError
    from common.files import atomic_json

    try:
        atomic_json(place, content)
    except UserError:
        return  # a full disk is no reason to complete nothing
