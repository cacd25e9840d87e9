"""A server's open connections: how many there are from where, and until when each may take for what it is about.

Owns the counts and the deadlines. Must not know what a connection carries.

A time-out of a socket alone does not do: who sends a byte now and then is never silent, and holds a place for ever.
"""

import ipaddress
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Connections:
    """Places for connections, of which no address can have all."""

    def __init__(self, most: int, most_from_one: int) -> None:
        self._most, self._most_from_one = most, most_from_one
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()
        self._deadlines: dict[socket.socket, float] = {}

    def take(self, address: str) -> str | None:
        """Take a place, or say why there is none."""
        with self._lock:
            if self._open.total() >= self._most:
                return f"{self._most} connections are open already"
            if self._open[network(address)] >= self._most_from_one:
                return f"{self._most_from_one} connections are open from there already"
            self._open[network(address)] += 1
            return None

    def leave(self, address: str) -> None:
        """Give a place back."""
        with self._lock:
            self._open[network(address)] -= 1
            self._open += Counter()  # forgets whoever has none

    def allow(self, connection: socket.socket, seconds: float) -> None:
        """From now on; whatever was allowed before does not count any more."""
        with self._lock:
            self._deadlines[connection] = time.monotonic() + seconds

    @contextmanager
    def timed(self, connection: socket.socket, seconds: float) -> Iterator[None]:
        """Give a connection a first time, while the block serves it."""
        self.allow(connection, seconds)
        try:
            yield
        finally:
            with self._lock:
                self._deadlines.pop(connection, None)

    def end_late(self) -> None:
        """Shut every connection whose time is over; whoever serves it finds its end."""
        with self._lock:
            late = [one for one, deadline in self._deadlines.items() if deadline < time.monotonic()]
            for one in late:
                del self._deadlines[one]
                with suppress(OSError):  # for it may be gone; the plain way, since another thread is reading from it
                    socket.socket.shutdown(one, socket.SHUT_RDWR)


def network(address: str) -> str:
    """Whoever may be behind an address: of IPv6 everybody has at least 2**64.

    >>> network("192.0.2.7"), network("::ffff:192.0.2.7"), network("2001:db8::1:2:3%eth0")
    ('192.0.2.7', '192.0.2.7', '2001:db8::')
    """
    read = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(read, ipaddress.IPv4Address):
        return str(read)
    return str(read.ipv4_mapped or ipaddress.ip_address(int(read) >> 64 << 64))
