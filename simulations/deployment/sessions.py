"""Which session each site's key is for: written down when a site is made, told to a campaign before it begins.

Owns that file. Must not know how a key is made or registered, nor what a campaign does about a name that is another's.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from common.errors import UserError
from common.files import atomic_json
from simulations.deployment.registry import Node

_FORM = TypeAdapter(dict[str, str])


def keep_session(path: Path, name: str, session: str) -> None:
    """Write down which session a site's key is for, unless that is written already."""
    known = read_sessions(path)
    if name not in known:
        atomic_json(path, dict(sorted({**known, name: session}.items())))


def read_sessions(path: Path) -> dict[str, str]:
    """Site to session."""
    if not path.exists():
        return {}
    try:
        return _FORM.validate_json(path.read_bytes(), strict=True)
    except (OSError, ValidationError):
        remedy = "it is {site: session}; `eyesoff deploy init` writes a missing one anew"
        raise UserError("cannot read which session each site is for", where=path, remedy=remedy) from None


def holders_of(nodes: Iterable[Node], sessions: Mapping[str, str]) -> dict[str, str]:
    """Node to session, of all whose key has a name; where none is written, a site's session has the site's own name."""
    return {node.number: sessions.get(node.name, node.name) for node in nodes if node.name}
