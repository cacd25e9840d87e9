"""A campaign as it looks while it runs: a line a client and a line for the server, on a terminal or in a log.

Owns the picture, made from the run's own files. Must not know how the run was started.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from client.site import STATE
from client.tuning import read_progress
from common.training.reporters import duration
from server.run import EVENTS
from simulations.federation.sites import SITES


@dataclass
class Story:
    """What the events have told so far."""

    read: int = 0
    stage: str = "starting Flower and Ray"
    total: int = 0
    done: dict[str, list[str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def follow(self, path: Path) -> list[dict[str, Any]]:
        """Take in the lines that have come since; the answer is those."""
        if not path.exists():
            return []
        with path.open(encoding="utf-8") as stream:
            stream.seek(self.read)
            text = stream.read()
        whole = text[: text.rfind("\n") + 1]
        self.read += len(whole.encode())
        events = [json.loads(line) for line in whole.splitlines()]
        for event in events:
            self._take(event)
        return events

    def _take(self, event: dict[str, Any]) -> None:
        match event["event"]:
            case "stage":
                self.stage, self.total = event["stage"], event["total"]
                self.done.setdefault(self.stage, [])
            case "done":
                self.done.setdefault(event["stage"], []).append(event["unit"])
            case "failed":
                self.failures.append(f"client {event['unit']} at {event['stage']}: {event['reason']}")


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
        """Look at the run's files once."""
        events = self._story.follow(self._run / EVENTS)
        if self._live:
            self._live.update(self._table())
            return
        for event in events:
            if event["event"] in ("stage", "done", "failed"):
                self._console.print(_line(event), soft_wrap=True, highlight=False)

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, show_header=False)
        story = self._story
        units = story.done.get(story.stage, [])
        table.add_row("[bold]server", story.stage, f"{len(units)}/{story.total}" if story.total else "", "", "")
        tuned = set(story.done.get("tune", []))
        for folder in sorted((self._run / SITES).glob("*")):
            table.add_row(*self._client(folder, tuned))
        for failure in story.failures[-3:]:
            table.add_row("[red]failed", failure)
        return table

    def _client(self, folder: Path, tuned: set[str]) -> tuple[Any, ...]:
        if folder.name in tuned:
            return folder.name, "[green]generator in the bank", "", "", ""
        told = read_progress(folder / STATE)
        if told is None:
            return folder.name, "[dim]waiting", "", "", ""
        left = duration((told.iterations - told.step) / told.rate) if told.rate else "?"
        bar = ProgressBar(total=told.iterations or 1, completed=told.step, width=24)
        return folder.name, bar, f"{told.step}/{told.iterations}", f"{told.rate:.2f} it/s", f"{left} left"


def _line(event: dict[str, Any]) -> str:
    if event["event"] == "failed":
        return f"failed: client {event['unit']} at {event['stage']}: {event['reason']}"
    if event["event"] == "stage":
        return f"{event['stage']}: {event['total']} to do"
    return f"{event['stage']}: {event['unit']} done"
