"""Requests that are turned away without a line each: how many there were since the ledger last said so.

Owns the count and when it is due. Must not know why a request was turned away, nor where the count is written.

A site has one relay, which carries the requests of an honest campaign and those of a flood alike, so who sends tells
nothing. Hence every request is read, those that the policy grants pass, and a flood is paid for in reading alone: to
turn all away unread would let anybody silence the site for a day with a day's number of bad requests. The ledger says
how many were turned away at the next entry that is written anyway, and in the midst of a flood at numbers that double,
so that a flood of any size adds few lines to it.
"""

import threading


class TurnedAway(Exception):  # noqa: N818 - the program does as it should
    """A refusal too many: no message answers it, and it gets no line of its own in the ledger."""


class Flood:
    """A count that several threads add to."""

    def __init__(self, first: int) -> None:
        self._lock = threading.Lock()
        self._first = self._due = first
        self._count = 0

    def add(self) -> bool:
        """Count one more; whether the ledger should say so now."""
        with self._lock:
            self._count += 1
            return self._count >= self._due

    def take(self, *, over: bool) -> int:
        """The count, which begins again; when the flood is over, so does the number at which it is due."""
        with self._lock:
            count, self._count = self._count, 0
            self._due = self._first if over else 2 * self._due
            return count

    def put_back(self, count: int) -> None:
        """Count what the ledger could not say."""
        with self._lock:
            self._count += count
