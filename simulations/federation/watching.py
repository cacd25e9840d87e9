"""A campaign as it looks while it runs: a line a client and a line for the server, on a terminal or in a log.

Owns the picture, made from the run's own files. Must not know how the run was started.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from client.simulated import SITES
from client.site import STATE
from client.tuning import read_progress
from common.training.reporters import duration
from server.run import EVENTS

STEPS = ("step", "iterations", "rate")
STAYING = ("failed", "put aside")


@dataclass
class Story:
    """What the events have told so far."""

    read: int = 0
    stage: str = "starting"
    total: int = 0
    done: dict[str, set[str]] = field(default_factory=dict)
    training: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    working: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def follow(self, path: Path) -> list[dict[str, Any]]:
        """Take in the whole lines that have come since; the answer is those."""
        if not path.exists():
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
                self.done.setdefault(stage, set())
            case {"event": "done", "stage": str(stage), "unit": str(unit)}:
                self.done.setdefault(stage, set()).add(unit)
                self.training.pop(unit, None)
            case {"event": "training", "unit": str(unit), "step": int(), "iterations": int(), "rate": int() | float()}:
                self.training[unit] = event
            case {"event": "working", "unit": str(unit), "step": int(), "iterations": int(), "rate": int() | float()}:
                self.working[unit] = event


def _event(line: bytes) -> dict[str, Any] | None:
    """None for a line that a killed run left torn, or that is none of ours."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


class Watch:
    """Called again and again while a campaign runs."""

    def __init__(self, run: Path, console: Console) -> None:
        self._run, self._console, self._story = run, console, Story()
        self._story.read = (run / EVENTS).stat().st_size if (run / EVENTS).exists() else 0
        self._live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None

    def __enter__(self) -> "Watch":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self()
        if self._live:
            self._live.stop()

    def __call__(self) -> None:
        """Look at the run's files once; on a terminal what went wrong alone is a line that stays."""
        for event in self._story.follow(self._run / EVENTS):
            if (line := _line(event)) and (self._live is None or event.get("event") in STAYING):
                self._console.print(line, soft_wrap=True, highlight=False, markup=False)
        if self._live:
            self._live.update(self._table())

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, show_header=False)
        story = self._story
        units = story.done.get(story.stage, ())
        table.add_row(Text("server", "bold"), story.stage, f"{len(units)}/{story.total}" if story.total else "", "", "")
        for unit, training in story.training.items():
            table.add_row(f"  {unit}", *_steps(**{name: training[name] for name in STEPS}))
        tuned = story.done.get("tune", ())
        here = sorted((self._run / SITES).glob("*"))
        for folder in here:
            table.add_row(*self._client(folder, tuned))
        for session, told in () if here else sorted(story.working.items()):  # sites elsewhere tell how far they are
            steps = {name: told[name] for name in STEPS}
            table.add_row(*_bank_row(session) if session in tuned else (session, *_steps(**steps)))
        return table

    def _client(self, folder: Path, tuned: Collection[str]) -> tuple[Any, ...]:
        if folder.name in tuned:
            return _bank_row(folder.name)
        told = read_progress(folder / STATE)
        if told is None:
            return folder.name, Text("waiting", "dim"), "", "", ""
        return folder.name, *_steps(told.step, told.iterations, told.rate)


def _bank_row(session: str) -> tuple[Any, ...]:
    return session, Text("generator in the bank", "green"), "", "", ""


def _steps(step: int, iterations: int, rate: float) -> tuple[Any, ...]:
    left = duration((iterations - step) / rate) if rate else "?"
    bar = ProgressBar(total=iterations or 1, completed=step, width=24)
    return bar, f"{step}/{iterations}", f"{rate:.2f} it/s", f"{left} left"


def _line(event: Mapping[str, Any]) -> str:
    """What a log is told of an event, if anything."""
    match event:
        case {"event": "failed", "line": line}:
            return f"failed: {line}"
        case {"event": "put aside", "line": line}:
            return str(line)
        case {"event": "stage", "stage": stage, "total": total}:
            return f"{stage}: {total} to do"
        case {"event": "done", "stage": stage, "unit": unit}:
            return f"{stage}: {unit} done"
    return ""
