"""What a comparison writes down for whoever watches."""

import json

import pytest

from common.config import Config
from server.events import EventFile
from simulations.comparison.store import Store
from simulations.comparison.telling import EVERY, Telling
from simulations.comparison.units import Unit
from simulations.comparison.workers import UnitState

UNITS = [Unit("train", "real", place, 0, {"place": place}, Config(), steps=100) for place in "ab"]


@pytest.fixture
def clock():
    class Clock:
        now = 0.0

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def told(tmp_path):
    """A function that reads what was told since, without its times."""

    def read():
        lines = (tmp_path / "events").read_text().splitlines()
        (tmp_path / "events").write_text("")
        return [{name: value for name, value in json.loads(line).items() if name != "time"} for line in lines]

    return read


def test_what_is_there_already_is_told_as_done(tmp_path, told):
    store = Store(tmp_path)
    store.finish(UNITS[0], 1.0)
    Telling(EventFile(tmp_path / "events"), UNITS, store)
    assert told() == [
        {"event": "stage", "stage": "train", "total": 2},
        {"event": "done", "stage": "train", "unit": "train real, a, seed 0"},
    ]


def test_stages_are_told_in_the_order_of_the_work(tmp_path, told):
    kinds = "train", "score", "fit", "quality", "tune"
    units = [Unit(kind, "real", "a", 0, {"kind": kind}, Config()) for kind in kinds]
    Telling(EventFile(tmp_path / "events"), units, Store(tmp_path))
    assert [line["stage"] for line in told()] == ["tune", "fit", "train", "score", "quality"]


def test_steps_are_told_with_their_numbers_and_not_too_often(tmp_path, told, clock):
    telling = Telling(EventFile(tmp_path / "events"), UNITS, Store(tmp_path), stage="real speech", clock=clock)
    assert told() == [{"event": "stage", "stage": "real speech", "total": 2}]
    for step in (0, 1, 2, 3, 4):
        telling.update(UnitState(UNITS[0], step=step, steps=100, metrics={"loss": 1.0}))
        clock.now += EVERY / 2
    lines = told()
    assert [(line["step"], line["iterations"], line["loss"]) for line in lines] == [
        (0, 100, 1.0),
        (2, 100, 1.0),
        (4, 100, 1.0),
    ]
    assert lines[-1]["rate"] == pytest.approx(2 / EVERY)
    telling.update(UnitState(UNITS[0], reason="no room"))
    telling.update(UnitState(UNITS[1], done=True))
    assert [(line["event"], line.get("line")) for line in told()] == [
        ("failed", "train real, a, seed 0: no room"),
        ("done", None),
    ]


def test_the_pace_is_that_of_the_training_at_work_where_a_unit_is_several(tmp_path, told, clock):
    telling = Telling(EventFile(tmp_path / "events"), UNITS, Store(tmp_path), clock=clock)
    for step, steps in ((0, 0), (0, 10), (10, 10), (0, 10), (10, 10)):  # it loads, encodes, and then trains as long
        telling.update(UnitState(UNITS[0], step=step, steps=steps))
        clock.now += EVERY
    paces = [(line["step"], line["rate"]) for line in told() if line["event"] == "training"]
    assert paces == [(0, 0.0), (0, 0.0), (10, 10 / EVERY), (0, 0.0), (10, 10 / EVERY)]
