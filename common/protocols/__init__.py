"""How speech is cut into what is trained on and what is tested on.

Owns the registry: one module a protocol in `methods`, and other packages' by the entry point group `eyesoff.protocols`.
Must not know what is trained.
"""

from typing import Any

from common.protocols.protocol import Cut, Filling, Point, Protocol, Trial
from common.registry import Registry

__all__ = ["PROTOCOLS", "Cut", "Filling", "Point", "Protocol", "Trial", "protocol"]

PROTOCOLS: Registry[Protocol[Any]] = Registry(
    "protocol", "common.protocols.methods", "PROTOCOL", "eyesoff.protocols", Protocol
)


def protocol(name: str) -> Protocol[Any]:
    """One of the registry."""
    return PROTOCOLS.get(name)
