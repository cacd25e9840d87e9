"""A polite end: SIGTERM and the first Ctrl-C ask a stage to finish its step and keep it, or whatever else to tidy up.

Owns the two signals while something runs. Must not know what is being stopped.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """Whether somebody asked, and the exit status that says so."""

    def __init__(self) -> None:
        self._signal: int | None = None

    def __call__(self) -> bool:
        """True once a signal has come."""
        return self._signal is not None

    @property
    def status(self) -> int:
        """What a shell expects of a process that a signal ended: 143 after SIGTERM."""
        return 128 + (self._signal or 0)

    def request(self, number: int, _frame: FrameType | None = None) -> None:
        """Remember the signal; the same one again takes its usual course."""
        self._signal = number
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def tidied_up() -> Iterator[None]:
    """SIGTERM leaves the block as Ctrl-C does, through every `finally`; else the processes that it began live on."""

    def leave(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # a second one would cut the tidying up
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Catch both signals, and give them back afterwards."""
    stop = Stop()
    before = {number: signal.signal(number, stop.request) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
