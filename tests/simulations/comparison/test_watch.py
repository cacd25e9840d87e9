"""What is seen of a comparison while it runs."""

import io
import time

import pytest
from rich.console import Console

from common.config import Config
from simulations.comparison.plan import Prices
from simulations.comparison.units import Unit
from simulations.comparison.watch import Watch
from simulations.comparison.workers import UnitState

UNITS = [Unit("train", "real", place, 0, {"place": place}, Config(), steps=100) for place in "ab"]
PRICES = Prices({}, {"train": 0.1})


@pytest.fixture
def log():
    return io.StringIO()


def test_a_log_gets_a_line_for_a_failure_and_one_for_the_end(log):
    watch = Watch(Console(file=log, width=200), UNITS, PRICES, workers=1)
    with watch.shown():
        watch.update(UnitState(UNITS[0], step=50, steps=100))
        watch.update(UnitState(UNITS[0], reason="no room in [/tmp/y]"))
        watch.update(UnitState(UNITS[1], done=True))
    first, last = log.getvalue().splitlines()
    assert first == "failed train real, a, seed 0: no room in [/tmp/y]"
    assert last.startswith("2 of 2 units, 0:00:00, 0:00:00 left; last: train real, b, seed 0")


def test_a_log_hears_once_a_minute_of_a_unit_that_takes_long(log, monkeypatch):
    watch, begun = Watch(Console(file=log, width=200), UNITS, PRICES, workers=1), time.monotonic()
    with watch.shown():
        for second in range(150):
            monkeypatch.setattr("simulations.comparison.watch.time.monotonic", lambda now=begun + second: now)
            watch.update(UnitState(UNITS[0], step=second, steps=200))
    lines = log.getvalue().splitlines()
    assert [line.rpartition("; ")[2] for line in lines] == [
        f"at work: train real, a, seed 0, step {step} of 200" for step in (60, 120)
    ]


def test_a_terminal_shows_each_unit_at_work_and_how_far_it_is(log):
    watch = Watch(Console(file=log, width=120, force_terminal=True), UNITS, PRICES, workers=2)
    watch.update(UnitState(UNITS[0], step=50, steps=100))
    Console(file=log, width=120).print(watch.picture())
    assert "0 of 2 units" in log.getvalue()
    assert "train real, a, seed 0, step 50 of 100" in log.getvalue()


def test_what_is_left_shrinks_with_the_steps(log):
    watch = Watch(Console(file=log), UNITS, PRICES, workers=2)
    assert watch.left() == "0:00:10"
    watch.update(UnitState(UNITS[0], step=40, steps=100))
    assert watch.left() < "0:00:10"


def test_a_first_unit_that_took_longer_than_predicted_foretells_more(log, monkeypatch):
    units = [Unit("train", "real", str(place), 0, {"place": place}, Config(), steps=100) for place in range(20)]
    watch = Watch(Console(file=log), units, PRICES, workers=1)
    assert watch.left() == "0:03:20"
    now = time.monotonic()
    monkeypatch.setattr("simulations.comparison.watch.time.monotonic", lambda: now + 60)
    watch.update(UnitState(units[0], done=True))
    assert "0:10:00" < watch.left() < "0:19:00", "between what was predicted and six times as much"


def test_units_that_cost_nothing_leave_nothing(log):
    watch = Watch(Console(file=log), UNITS, Prices({}, {}), workers=1)
    assert watch.left() == "0:00:00"


def test_the_start_of_processes_does_not_make_a_short_run_a_long_one(log, monkeypatch):
    watch, begun = Watch(Console(file=log), UNITS, PRICES, workers=2), time.monotonic()
    monkeypatch.setattr("simulations.comparison.watch.time.monotonic", lambda: begun + 15)
    assert "0:00:10" < watch.left() < "0:01:00"


def test_a_unit_without_steps_is_named_alone(log):
    watch = Watch(Console(file=log), UNITS, PRICES, workers=1)
    watch.update(UnitState(UNITS[0]))
    Console(file=log, width=120).print(watch.picture())
    assert "train real, a, seed 0 " in log.getvalue()
    assert "step" not in log.getvalue()
