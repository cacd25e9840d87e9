"""What a run has told so far, read from its file of events while that grows.

Owns how events add up. Must not know who wrote them, nor how they are shown.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

POINTS = 240
"""Of a curve at the most; every other one is let go of when there are as many."""
PLACE = frozenset({"event", "time", "unit", "step", "iterations", "rate"})
"""What a line of a training tells beside its numbers."""
Curve = list[tuple[int, dict[str, float]]]


@dataclass
class Ending:
    """How a run ended: done, stopped or failed, when, and why."""

    how: str
    time: float
    line: str = ""


@dataclass
class Story:
    """What the events have told so far."""

    read: int = 0
    stage: str = "starting"
    total: int = 0
    totals: dict[str, int] = field(default_factory=dict)
    done: dict[str, set[str]] = field(default_factory=dict)
    training: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    working: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    failed: dict[str, float] = field(default_factory=dict)
    """Each failure once, and when."""
    aside: dict[str, str] = field(default_factory=dict)
    left: list[Mapping[str, Any]] = field(default_factory=list)
    what: str = ""
    began: float = 0.0
    last: float = 0.0
    ending: Ending | None = None
    _open: list[str] = field(default_factory=list)

    def follow(self, path: Path) -> list[dict[str, Any]]:
        """Take in the whole lines that have come since; the answer is those."""
        if not path.is_file():
            return []
        with path.open("rb") as stream:
            stream.seek(self.read)
            text = stream.read()
        whole = text[: text.rfind(b"\n") + 1]
        self.read += len(whole)
        events = [event for line in whole.splitlines() if (event := _event(line))]
        for event in events:
            self._take(event)
        return events

    def _take(self, event: dict[str, Any]) -> None:
        match event:
            case {"event": "stage", "stage": str(stage), "total": int(total)}:
                self.stage, self.total, self.training = stage, total, {}
                self.totals[stage], self.done[stage] = total, set()
            case {"event": "done", "stage": str(stage), "unit": str(unit)}:
                self.done.setdefault(stage, set()).add(unit)
                self.training.pop(unit, None)
            case {"event": "training", "unit": str(unit), "step": int(), "iterations": int(), "rate": int() | float()}:
                self.training[unit] = event
                self._draw(unit, event)
            case {"event": "working", "unit": str(unit), "step": int(), "iterations": int(), "rate": int() | float()}:
                self.working[unit] = event
            case {"event": "failed", "line": str(line)}:
                self.failed.setdefault(line, _time_of(event))
                self.training.pop(str(event.get("unit")), None)
            case {"event": "put aside", "unit": str(unit), "line": str(line)}:
                self.aside[unit] = line
            case {"event": "left", "unit": str(), "kind": str(), "bytes": int()}:
                self.left.append(event)
            case {"event": "begun", "what": str(what)}:
                self._begin(what, _time_of(event))
            case {"event": "ended", "what": str(what), "how": str(how)}:
                self._end(what, Ending(how, _time_of(event), str(event.get("line", ""))))
        self.last = max(self.last, _time_of(event))

    def _begin(self, what: str, time: float) -> None:
        """A run is within another one, unless none is at work; what was cut and begins anew takes its old place."""
        if what in self._open:
            del self._open[self._open.index(what) :]
            self.working = {}
        if not self._open:
            self.what, self.began, self.ending = what, time, None
            self.training, self.working, self.failed, self.left = {}, {}, {}, []
        self._open.append(what)

    def _end(self, what: str, ending: Ending) -> None:
        if what in self._open:
            del self._open[self._open.index(what) :]
        if not self._open:
            self.ending, self.training, self.working = ending, {}, {}

    def _draw(self, unit: str, event: Mapping[str, Any]) -> None:
        numbers = {name: float(value) for name, value in event.items() if name not in PLACE and _is_number(value)}
        curve = self.curves.pop(unit, [])  # the last that moved is the last in order
        kept = [point for point in curve if point[0] < event["step"]]
        if len(kept) >= POINTS:
            kept = kept[::2]
        self.curves[unit] = [*kept, (event["step"], numbers)] if numbers else kept


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _time_of(event: Mapping[str, Any]) -> float:
    told = event.get("time")
    return float(told) if _is_number(told) and isinstance(told, int | float) else 0.0


def _event(line: bytes) -> dict[str, Any] | None:
    """None for a line that a killed run left torn, or that is none of ours."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
