"""The clients as the campaign sees them: names that can be sent bytes and may send bytes back.

Owns that view. Must not know whether Flower, a loop in this process or a test stands behind it.
"""

from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Protocol

Payload = Callable[[], bytes]
"""Bytes made when they are sent, so that requests to many clients are never in memory together."""


@dataclass(frozen=True)
class Answer:
    """What came of one request: bytes, or the name of what went wrong on the way."""

    client: str
    data: bytes = b""
    failure: str = ""


class Clients(Protocol):
    """Whoever can be reached."""

    def names(self, at_least: int, seconds: float) -> tuple[str, ...]:
        """Who is there, waiting up to `seconds` for `at_least` of them."""
        ...

    def exchange(self, payloads: MutableMapping[str, Payload], seconds: float) -> Iterator[Answer]:
        """Take the payloads out and send them, and yield every answer as it arrives, one for each payload.

        The caller may put in another payload for a client that has answered. It ends when there is neither a payload
        nor an answer to come, and at the deadline, when each of them is answered with a failure.
        """
        ...
