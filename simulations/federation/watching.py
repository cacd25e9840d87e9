"""A campaign as it looks while it runs: a line a client and a line for the server, on a terminal or in a log.

Owns the picture, made from the run's own files. Must not know how the run was started.
"""

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from rich.columns import Columns
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from client.activity import activity
from client.simulated import SITES
from client.site import STATE
from common.training.reporters import duration
from server.run import EVENTS
from simulations.federation.story import Story

STEPS = ("step", "iterations", "rate")
STAYING = ("failed", "put aside")
GLANCE = 0.25
"""Seconds between two looks at the run's files."""


class Watch:
    """Called again and again while a campaign runs."""

    def __init__(self, run: Path, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._run, self._console, self._story, self._clock = run, console, Story(), clock
        self._story.read = (run / EVENTS).stat().st_size if (run / EVENTS).exists() else 0
        self._live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None
        self._began, self._spinner = clock(), Spinner("dots")
        self._over, self._looking = Event(), Lock()
        self._eye = Thread(target=self._look_on, daemon=True)

    def __enter__(self) -> "Watch":
        if self._live:
            self._live.start()
        self._eye.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._eye.join()
        self()
        if self._live:
            self._live.stop()

    def _look_on(self) -> None:
        """Beside whatever works in this process, which may be at one thing for minutes."""
        while not self._over.wait(GLANCE):
            with suppress(OSError):  # a file that is gone between two looks
                self()

    def __call__(self) -> None:
        """Look at the run's files once; on a terminal what went wrong alone is a line that stays."""
        with self._looking:
            for event in self._story.follow(self._run / EVENTS):
                if (line := _line(event)) and (self._live is None or event.get("event") in STAYING):
                    self._console.print(line, soft_wrap=True, highlight=False, markup=False)
            if self._live:
                self._live.update(self._table())

    def _table(self) -> Table:
        """The first line moves every second, whatever the others do."""
        table = Table(box=None, pad_edge=False, show_header=False)
        story = self._story
        units = story.done.get(story.stage, ())
        counted = f"{len(units)}/{story.total}" if story.total else ""
        name = Columns([Text("server", "bold"), self._spinner])
        table.add_row(name, story.stage, counted, duration(self._clock() - self._began), "")
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
        told = activity(folder / STATE)
        if told is None:
            return folder.name, Text("waiting", "dim"), "", "", ""
        bar, *rest = _steps(told.step, told.steps, told.rate)
        return f"{folder.name}, {told.doing}", bar, *rest


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
