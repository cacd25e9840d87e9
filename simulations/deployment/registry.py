"""Which sites' keys a running SuperLink takes: registered, removed, listed through Flower's own commands.

Owns those calls. Must not know how a key is made.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.errors import UserError
from simulations.federation.submission import FEDERATION, Connection

AS_JSON = ("--format", "json")


@dataclass(frozen=True)
class Node:
    """A registered relay as the SuperLink sees it."""

    number: str
    name: str
    status: str


def nodes(link: Connection) -> tuple[Node, ...]:
    """All that are registered."""
    told = _checked(link, link.ask(["supernode", "list", FEDERATION, *AS_JSON]))
    listed = (Node(str(one["node-id"]), str(one.get("name") or ""), str(one["status"])) for one in told["nodes"])
    return tuple(sorted(listed, key=lambda node: (node.name, node.number)))


def register(link: Connection, name: str, public: Path) -> str:
    """Let whoever has the other half of this key join under this name; the answer is its number."""
    if any(node.name == name for node in nodes(link)):
        raise UserError("a site of this name is registered", where=name, remedy="revoke it first, or choose another")
    return _register(link, name, public)


def register_missing(link: Connection, keys: Path) -> tuple[str, ...]:
    """Every key of a folder whose name is not registered yet; the answer names those that were."""
    there = {node.name for node in nodes(link)}
    new = [path for path in sorted(keys.glob("*.pub")) if path.stem not in there]
    for path in new:
        _register(link, path.stem, path)
    return tuple(path.stem for path in new)


def _register(link: Connection, name: str, public: Path) -> str:
    told = _checked(link, link.ask(["supernode", "register", str(public), FEDERATION, "--name", name, *AS_JSON]))
    return str(told["node-id"])


def revoke(link: Connection, name: str) -> str:
    """Let a site's key in no longer, from now on and for good."""
    for node in nodes(link):
        if node.name == name:
            _checked(link, link.ask(["supernode", "unregister", node.number, FEDERATION, *AS_JSON]))
            return node.number
    raise UserError("no such site is registered", where=name, remedy="`eyesoff deploy status` names those that are")


def _checked(link: Connection, told: dict[str, Any]) -> dict[str, Any]:
    if not told.get("success", True):
        reason = " ".join(str(told.get("error-message") or told).split())
        raise UserError("the SuperLink refused", where=link.address, remedy=reason[:300])
    return told
