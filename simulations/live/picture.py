"""A run's folder as plain data: how far it is, who is at what, what failed, what has left.

Owns what is told. Must not know how it is shown, and writes nothing. It imports neither torch nor anything that does: a
page that starts beside a run at work should not wait for it.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from client.activity import activity
from common.errors import UserError
from simulations.federation.story import Story

EVENTS, RESULTS, OUTCOME, REPORT = "events.jsonl", "results.json", "campaign.json", "report.html"
SITES, STATE, LEDGER, BANK = "sites", "state", "ledger.jsonl", "bank"
"""Named once more, for their homes take seconds to import; a test holds both together."""
QUIET = 60.0
"""Seconds without a sign of life after which a run that has not ended may have been killed."""
CURVES = 8
"""Trainings whose curves are told at the most: the last that moved."""
Plain = dict[str, Any]
JUST_BEGUN = "one that has just been started has a folder within seconds: try again"


def runs_in(folder: Path) -> tuple[Path, ...]:
    """The folder itself, where it is a run's; else the runs in it, as `eyesoff demo` leaves them."""
    if not folder.is_dir():
        raise UserError("no such run", where=folder, remedy=f"name the folder that you gave as --run; {JUST_BEGUN}")
    if _is_run(folder):
        return (folder,)
    runs = tuple(sorted(one for one in folder.iterdir() if one.is_dir() and _is_run(one)))
    if not runs:
        remedy = f"name the folder of a run of simulate, compare, bootstrap, demo or of a server; {JUST_BEGUN}"
        raise UserError("no run has begun here", where=folder, remedy=remedy)
    return runs


def _is_run(folder: Path) -> bool:
    return any((folder / name).exists() for name in (EVENTS, RESULTS, OUTCOME))


def follow(folder: Path) -> Callable[[], list[Plain]]:
    """What looks at every run in a folder again and again; one that begins later is looked at from then on."""
    pictures: dict[Path, Picture] = {}
    runs_in(folder)

    def look() -> list[Plain]:
        return [pictures.setdefault(run, Picture(run)).look() for run in runs_in(folder)]

    return look


class Picture:
    """One run, looked at again and again; several threads may."""

    def __init__(self, run: Path, clock: Callable[[], float] = time.time) -> None:
        self._run, self._clock, self._story, self._lock = run, clock, Story(), Lock()
        self._ledgers: dict[Path, tuple[int, list[Plain]]] = {}

    def look(self) -> Plain:
        """All that there is to tell now."""
        with self._lock:
            self._story.follow(self._run / EVENTS)
            return self._told()

    def _told(self) -> Plain:
        story = self._story
        clients = list(self._clients())
        last = max([story.last, *(one["seen"] for one in clients)])
        return {
            "name": self._run.resolve().name,
            "what": story.what or "run",
            "state": self._state(last),
            "why": story.ending.line if story.ending else "",
            "began": story.began or None,
            "ended": story.ending.time if story.ending else None,
            "last": last or None,
            "stages": [
                {"name": name, "done": len(story.done.get(name, ())), "total": total}
                for name, total in story.totals.items()
            ],
            "clients": clients,
            "work": [{"name": unit, **_steps(told)} for unit, told in story.training.items()],
            "curves": list(_curves(story)),
            "failures": [{"line": line, "time": moment} for line, moment in story.failed.items()],
            "aside": list(story.aside.values()),
            "left": self._left(),
            "report": REPORT if (self._run / REPORT).exists() else None,
        }

    def _state(self, last: float) -> str:
        """At work, quiet, or ended in one of three ways; of a run of before there were such events, by its files."""
        if self._story.ending:
            return self._story.ending.how
        if not self._story.what and any((self._run / name).exists() for name in (RESULTS, OUTCOME)):
            return "done"
        return "at work" if self._clock() - last < QUIET else "quiet"

    def _clients(self) -> Iterator[Plain]:
        story, here = self._story, sorted((self._run / SITES).glob("*"))
        names = [folder.name for folder in here] or sorted({*story.working, *story.done.get("ask", ())})
        tuned = story.done.get("tune", ())
        for name in names:
            state = self._run / SITES / name / STATE
            seen = activity(state) if here and story.ending is None else None
            told = story.working.get(name)
            rest = "waiting" if story.ending is None else "not at work"
            one: Plain = {"name": name, "doing": rest, "seen": float(told.get("time", 0)) if told else 0.0}
            if name in story.aside:
                one["doing"] = "put aside"
            elif name in tuned:
                one["doing"] = "generator in the bank"
            elif seen is not None:
                one |= asdict(seen)
            elif told is not None:
                one |= _steps(told) | {"doing": "tuning"}
            yield one

    def _left(self) -> list[Plain]:
        """By client and kind: from the ledgers where they are here, else what the run was told, else what came in."""
        ledgers = sorted((self._run / SITES).glob(f"*/{STATE}/{LEDGER}"))
        if ledgers:
            return [row for path in ledgers for row in self._of_ledger(path)]
        if self._story.left:
            told = self._story.left
            return _summed((one["unit"], one["kind"], one["bytes"], float(one.get("time", 0))) for one in told)
        return _summed(_banked(self._run / BANK))

    def _of_ledger(self, path: Path) -> list[Plain]:
        """Read again only when it has grown."""
        size = path.stat().st_size
        if (known := self._ledgers.get(path)) and known[0] == size:
            return known[1]
        client = path.parent.parent.name
        rows = _summed((client, *told) for told in _sent(path))
        self._ledgers[path] = (size, rows)
        return rows


def _sent(ledger: Path) -> Iterator[tuple[str, int, float]]:
    """Whatever line tells that something was sent; whether the chain holds is for `eyesoff ledger verify`."""
    for line in ledger.read_bytes().splitlines():
        with suppress(ValueError, KeyError, TypeError):
            one = json.loads(line)
            if one["outcome"] == "sent":
                yield str(one["kind"]), int(one["bytes"]), _moment(one["time"])


def _banked(bank: Path) -> Iterator[tuple[str, str, int, float]]:
    """Of the releases that came to a server, by their cards."""
    for path in sorted(bank.glob("*.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            card = json.loads(path.read_bytes())
            yield card["card"]["tuning"]["session"], "release", int(card["bytes"]), _moment(card["received"])


def _moment(written: str) -> float:
    return datetime.fromisoformat(written).timestamp()


def _steps(told: Mapping[str, Any]) -> Plain:
    return {"step": told["step"], "steps": told["iterations"], "rate": told["rate"]}


def _curves(story: Story) -> Iterator[Plain]:
    """Of the last trainings, a line a quantity; in an order that stays, for each has its colour by its place."""
    drawn = [(unit, curve) for unit, curve in story.curves.items() if len(curve) > 1]  # a point alone is no line
    for unit, curve in sorted(drawn[-CURVES:]):
        metrics = sorted({name for _, numbers in curve for name in numbers})
        lines = {name: [[step, numbers[name]] for step, numbers in curve if name in numbers] for name in metrics}
        yield {"name": unit, "lines": lines}


def _summed(sent: Iterable[tuple[str, str, int, float]]) -> list[Plain]:
    """A row a client and kind, in the order in which they first came."""
    rows: dict[tuple[str, str], Plain] = {}
    for client, kind, size, moment in sent:
        row = rows.setdefault((client, kind), {"client": client, "kind": kind, "count": 0, "bytes": 0, "last": 0.0})
        row["count"] += 1
        row["bytes"] += size
        row["last"] = max(row["last"], moment)
    return list(rows.values())
