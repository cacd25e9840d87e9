"""What a site is at, as anybody who may look into its state folder sees: reading speech, tuning, distilling, auditing.

Owns the names of those small files, and how the newest is found. Must not know how any of it is done, and imports
nothing that takes long: whoever looks should not wait for torch.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from common.errors import UserError
from common.files import atomic_json

TUNINGS, ASKED, PROGRESS, AUDIT, VERDICT = "tunings", "asked.json", "progress.json", "audit", "verdict.json"
READING = "reading.json"
TUNING, DISTILLING, AUDITING = "tuning", "distilling", "auditing"
"""What a keeper may be at; its audits' twins are tuned and distilled as part of auditing."""
WRITE_SECONDS = 1.0
"""The least time between two writings of how far it is."""


@dataclass(frozen=True)
class Activity:
    """What a site was last seen at, how far, how fast, and when."""

    doing: str
    step: int
    steps: int
    rate: float
    seen: float


def activity(state: Path) -> Activity | None:
    """The newest of what is written below a site's state folder; None where it is at nothing that takes long."""
    found = list(_written(state))
    return max(found, key=lambda one: one.seen, default=None)


def _written(state: Path) -> Iterator[Activity]:
    if (one := _read("reading speech", state / READING)) is not None:
        yield one
    for asked in state.glob(f"{TUNINGS}/*/{ASKED}"):
        if (one := _read(TUNING, asked.with_name(PROGRESS))) is not None:
            yield one
        audit = asked.parent / AUDIT
        if not (audit / VERDICT).exists() and (one := _read(AUDITING, audit / PROGRESS)) is not None:
            yield one


def _read(doing: str, path: Path) -> Activity | None:
    with suppress(OSError, ValueError, KeyError, TypeError):  # it may finish while it is looked at
        told = json.loads(path.read_bytes())
        if doing == TUNING and told.get("doing") == DISTILLING:
            doing = DISTILLING
        return Activity(doing, int(told["step"]), int(told["iterations"]), float(told["rate"]), path.stat().st_mtime)
    return None


@contextmanager
def reading(state: Path, clock: Callable[[], float] = time.monotonic) -> Iterator[Callable[[int, int], None]]:
    """Who is told how many recordings have been read, while the block runs."""
    path, began = state / READING, clock()
    told = began - WRITE_SECONDS

    def tell(done: int, total: int) -> None:
        nonlocal told
        now = clock()
        if now - told >= WRITE_SECONDS:
            told = now
            rate = round(done / max(now - began, 1e-3), 3)
            with suppress(UserError):  # a disk that is full for a moment need not end the reading
                atomic_json(path, {"step": done, "iterations": total, "rate": rate})

    try:
        yield tell
    finally:
        path.unlink(missing_ok=True)
