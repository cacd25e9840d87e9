"""What an entry in a site's ledger costs early in its day and late in it.

Owns the ledgers that are filled for it and the clock. Must not know how a ledger keeps its sums.
"""

import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from client.history import History, Record
from client.ledger import Ledger

FEW, MANY = 50, 5000
"""Entries of the day before the first that is timed."""
ROUNDS = 200
"""Appends to each that are timed, in turn."""


def bench_ledger(few: int = FEW, many: int = MANY, rounds: int = ROUNDS) -> dict[str, Any]:
    """Milliseconds of an append after few entries of the day and after many, as medians, and their ratio."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        ledgers = {number: _filled(Path(folder) / f"{number}.jsonl", number, now) for number in (few, many)}
        seconds: dict[int, list[float]] = {few: [], many: []}
        for turn in range(rounds):
            for number in (few, many) if turn % 2 else (many, few):
                seconds[number].append(_timed(ledgers[number], now))
    medians = {number: statistics.median(taken) for number, taken in seconds.items()}
    return {
        "rounds": rounds,
        "entries": [few, many],
        "milliseconds": [round(1000 * medians[number], 3) for number in (few, many)],
        "ratio": round(medians[many] / medians[few], 2),
    }


def _filled(path: Path, number: int, now: datetime) -> Ledger:
    ledger = Ledger(path)
    for _ in range(number):
        ledger.append(_record(now))
    return ledger


def _timed(ledger: Ledger, now: datetime) -> float:
    began = time.perf_counter()
    ledger.append(_record(now), _judge)
    return time.perf_counter() - began


def _record(now: datetime) -> Record:
    """An admitted tuning's, as long as they are."""
    return Record(time=now, outcome="admitted", kind="tune", run="run-1", session="03+08", request="ab" * 16)


def _judge(history: History) -> None:
    """Asks all that a gate asks."""
    _ = history.bytes_today, history.refused_today, history.released
    _ = len(history.begun_today("tune")), len(history.begun_in_all("tune"))
