"""Which sites' keys a running SuperLink takes: registered, removed, listed through Flower's own commands.

Owns those calls, and the book of names: this Flower takes a name with a key, but never tells it again. Must not know
how a key is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from common.errors import UserError
from common.files import atomic_json
from simulations.federation.submission import FEDERATION, Connection

AS_JSON = ("--format", "json")
_BOOK = TypeAdapter(dict[str, str])


@dataclass(frozen=True)
class Node:
    """A registered relay as the SuperLink sees it; one that our book does not know has no name."""

    number: str
    name: str
    status: str


@dataclass(frozen=True)
class Registry:
    """A SuperLink's register, and the book in which its numbers have names."""

    link: Connection
    book: Path

    def nodes(self) -> tuple[Node, ...]:
        """All that may join."""
        names = {number: name for name, number in self._names().items()}
        told = _checked(self.link, ["supernode", "list", FEDERATION, *AS_JSON])
        listed = [Node(str(one["node-id"]), "", str(one["status"])) for one in told["nodes"]]
        known = (Node(node.number, names.get(node.number, ""), node.status) for node in listed)
        return tuple(sorted((n for n in known if n.status != "unregistered"), key=lambda n: (n.name, n.number)))

    def register(self, name: str, public: Path) -> str:
        """Let whoever has the other half of this key join under this name; the answer is its number."""
        self.require_free(name)
        return self._register(name, public)

    def require_free(self, name: str) -> None:
        """Refuse a name that some site has."""
        if any(node.name == name for node in self.nodes()):
            raise UserError(
                "a site of this name is registered", where=name, remedy="revoke it first, or choose another"
            )

    def register_missing(self, keys: Path) -> tuple[str, ...]:
        """Every key of a folder whose name is not registered yet; the answer names those that were."""
        there = {node.name for node in self.nodes()}
        new = [path for path in sorted(keys.glob("*.pub")) if path.stem not in there]
        for path in new:
            self._register(path.stem, path)
        return tuple(path.stem for path in new)

    def revoke(self, name: str) -> str:
        """Let a site's key in no longer, from now on and for good."""
        for node in self.nodes():
            if node.name == name:
                _checked(self.link, ["supernode", "unregister", node.number, FEDERATION, *AS_JSON])
                return node.number
        raise UserError("no such site is registered", where=name, remedy="`eyesoff deploy status` names those that are")

    def _register(self, name: str, public: Path) -> str:
        told = _checked(self.link, ["supernode", "register", str(public), FEDERATION, "--name", name, *AS_JSON])
        number = str(told["node-id"])
        atomic_json(self.book, {**self._names(), name: number})
        return number

    def _names(self) -> Mapping[str, str]:
        if not self.book.exists():
            return {}
        try:
            return _BOOK.validate_json(self.book.read_bytes(), strict=True)
        except (OSError, ValidationError):
            remedy = "it is {name: number}; put back what it was, or write it anew from `flwr supernode list`"
            raise UserError("cannot read the names of sites", where=self.book, remedy=remedy) from None


def _checked(link: Connection, words: list[str]) -> dict[str, Any]:
    told = link.ask(words)
    if not told.get("success", True):
        link.require_listener()
        reason = " ".join(str(told.get("error-message") or told).split())
        raise UserError("the SuperLink refused", where=link.address, remedy=reason[:300])
    return told
