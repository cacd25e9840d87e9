"""Units of a comparison as lines in the run's file of events, which a page or another terminal follows.

Owns what is told of a unit. Must not know what a unit computes, nor who reads the lines.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence

from client.ledger import entries
from common.errors import UserError
from server.events import EventFile
from simulations.comparison.store import LEDGER, Store
from simulations.comparison.units import KINDS, Unit
from simulations.comparison.workers import UnitState

EVERY = 2.0
"""Seconds between two lines on one unit at work."""
COMPARISON, REAL_SPEECH = "comparison", "real speech"
"""What such a run is called among its events; the stage of all units that stand beside a campaign."""


class Telling:
    """Is told of units and writes down what somebody who watches wants to know."""

    def __init__(
        self,
        events: EventFile,
        units: Sequence[Unit],
        store: Store,
        *,
        stage: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._events, self._store, self._stage, self._clock = events, store, stage, clock
        self._begun: dict[str, tuple[float, int]] = {}
        self._last: dict[str, UnitState] = {}
        self._told: dict[str, float] = {}
        in_order = sorted(units, key=lambda unit: KINDS.index(unit.kind))  # as they are worked on
        for name, number in Counter(map(self._of, in_order)).items():
            events.stage(name, number)
        for unit in units:
            if store.card(unit) is not None:
                self._finish(unit)

    def update(self, state: UnitState) -> None:
        """A unit goes on or ends."""
        unit = state.unit
        if state.done:
            self._finish(unit)
        elif state.reason:
            self._events.write(event="failed", stage=self._of(unit), unit=str(unit), line=f"{unit}: {state.reason}")
        else:
            self._go_on(state)

    def _go_on(self, state: UnitState) -> None:
        key, now = state.unit.key, self._clock()
        last = self._last.get(key)
        if last is None or state.step < last.step or state.steps != last.steps:  # a unit may be several trainings
            self._begun[key] = now, state.step
        self._last[key] = state
        since, first = self._begun[key]
        if now - self._told.get(key, -EVERY) < EVERY:
            return
        self._told[key] = now
        rate = round((state.step - first) / max(now - since, 1e-3), 3)
        place = {"step": state.step, "iterations": state.steps, "rate": rate}
        self._events.write(event="training", unit=str(state.unit), **{**state.metrics, **place})

    def _finish(self, unit: Unit) -> None:
        ledger = self._store.where(unit) / LEDGER
        try:
            for one in entries(ledger) if ledger.exists() else ():
                if one.outcome == "sent":
                    self._events.write(event="left", unit=one.session or unit.fold, kind=one.kind, bytes=one.bytes)
        except (UserError, ValueError, OSError) as error:  # the report names what is wrong with a ledger
            self._events.write(event="failed", unit=str(unit), line=f"{unit}: its ledger cannot be read: {error}")
        self._events.done(self._of(unit), str(unit))

    def _of(self, unit: Unit) -> str:
        return self._stage or unit.kind
