"""A comparison as it looks while it runs: one line for all, one for each unit at work; or lines in a log.

Owns the picture. Must not know what a unit computes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from common.training.reporters import duration
from simulations.comparison.plan import Prices
from simulations.comparison.units import Unit
from simulations.comparison.workers import UnitState

QUIET, SILENT = 20.0, 60.0
"""Seconds between lines in a log, where units end; and where none does."""
BELIEVED, AT_LEAST = 0.02, 10.0
"""Of all work, and seconds: so much counts as done at the predicted pace, so that neither the first unit alone nor the
start of processes decides it."""


class Watch:
    """Follows every unit."""

    def __init__(self, console: Console, new: list[Unit], prices: Prices, workers: int) -> None:
        self._console, self._prices, self._workers = console, prices, max(workers, 1)
        self._costs = {unit.key: prices.of_unit(unit) for unit in new}
        self._left, self._total = dict(self._costs), len(new)
        self._at_work: dict[str, UnitState] = {}
        self._began, self._told = time.monotonic(), time.monotonic()
        self._live: Live | None = None

    @contextmanager
    def shown(self) -> Iterator["Watch"]:
        """While the block runs; a terminal is redrawn, a log gets a line now and then."""
        if self._console.is_terminal:
            with Live(console=self._console, refresh_per_second=4, transient=True, get_renderable=self.picture) as live:
                self._live = live
                yield self
        else:
            yield self

    def update(self, state: UnitState) -> None:
        """A unit goes on or ends."""
        key = state.unit.key
        if not state.done and not state.reason:
            self._at_work[key] = state
            self._say(f"at work: {_place(state)}", after=SILENT)
            return
        self._at_work.pop(key, None)
        self._left.pop(key, None)
        if state.reason:
            line = Text.assemble(("failed", "red"), f" {state.unit}: {state.reason}")
            self._console.print(line, soft_wrap=True)
        else:
            self._say(f"last: {state.unit}", after=QUIET if self._left else 0.0)

    def _say(self, what: str, after: float) -> None:
        """A line in a log, where the last one is so many seconds old."""
        if self._live is None and time.monotonic() - self._told >= after:
            self._told = time.monotonic()
            self._console.print(f"{self.headline()}; {what}", highlight=False, soft_wrap=True)

    def headline(self) -> str:
        """How many are done, since when, and how long still."""
        done = self._total - len(self._left)
        return f"{done} of {self._total} units, {duration(time.monotonic() - self._began)}, {self.left()} left"

    def left(self) -> str:
        """The predicted cost of what is left, corrected by what the others took."""
        spent = time.monotonic() - self._began
        begun = {key: state.step / state.steps for key, state in self._at_work.items() if state.steps}
        left = sum(cost * (1 - begun.get(key, 0.0)) for key, cost in self._left.items())
        total = sum(self._costs.values()) or 1.0
        believed = max(BELIEVED * total, AT_LEAST)
        pace = (spent + believed / self._workers) / (total - left + believed)
        return duration(left * pace)

    def picture(self) -> Table:
        """What a terminal shows."""
        table = Table.grid(padding=(0, 1))
        table.add_row(ProgressBar(self._total, self._total - len(self._left), width=24), self.headline())
        for state in self._at_work.values():
            bar = ProgressBar(max(state.steps, 1), state.step, width=24)
            table.add_row(bar, _place(state))
        return table


def _place(state: UnitState) -> str:
    return f"{state.unit}, step {state.step} of {state.steps}" if state.steps else str(state.unit)
