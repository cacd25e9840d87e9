"""How events add up to a run."""

import json

from server.events import EventFile
from simulations.federation.story import POINTS, Story


def told(path):
    story = Story()
    story.follow(path)
    return story


def test_a_run_within_a_run_ends_with_the_outer_one(tmp_path):
    events = EventFile(tmp_path / "events")
    with events.during("simulation"):
        with events.during("campaign"):
            assert told(tmp_path / "events").what == "simulation"
        assert told(tmp_path / "events").ending is None
    ending = told(tmp_path / "events").ending
    assert ending is not None
    assert ending.how == "done"


def test_a_run_that_was_cut_and_begins_anew_is_at_work(tmp_path):
    events = EventFile(tmp_path / "events")
    for what in ("simulation", "campaign"):  # killed: neither ends
        events.write(event="begun", what=what)
    events.stage("tune", 5)
    events.write(event="failed", line="of the first time")
    with events.during("simulation"):
        story = told(tmp_path / "events")
        assert (story.ending, story.failed) == (None, {})
    assert told(tmp_path / "events").ending is not None


def test_a_run_within_a_run_that_begins_anew_leaves_the_outer_one_at_work(tmp_path):
    events = EventFile(tmp_path / "events")
    with events.during("simulation"):
        began = told(tmp_path / "events").began
        events.write(event="failed", line="of the simulation")
        events.write(event="begun", what="campaign")  # killed, and started once more
        with events.during("campaign"):
            assert (told(tmp_path / "events").what, told(tmp_path / "events").began) == ("simulation", began)
        story = told(tmp_path / "events")
        assert (story.ending, [*story.failed]) == (None, ["of the simulation"])
    assert told(tmp_path / "events").ending is not None


def test_a_stage_that_begins_anew_has_nothing_done(tmp_path):
    events = EventFile(tmp_path / "events")
    events.stage("train", 2)
    events.done("train", "a")
    events.stage("train", 3)
    story = told(tmp_path / "events")
    assert (story.totals, story.done) == ({"train": 3}, {"train": set()})


def test_a_curve_forgets_steps_that_are_taken_again_and_stays_short(tmp_path):
    events = EventFile(tmp_path / "events")
    for step in [*range(5 * POINTS), 7]:
        events.write(event="training", unit="a", step=step, iterations=9, rate=1.0, loss=0.5)
        if step == 5 * POINTS - 1:
            long = told(tmp_path / "events").curves["a"]
    assert POINTS / 2 <= len(long) <= POINTS + 1
    assert long[-1][0] == 5 * POINTS - 1
    assert [step for step, _ in told(tmp_path / "events").curves["a"]] == [0, 7]


def test_what_is_no_number_is_no_point(tmp_path):
    path = tmp_path / "events"
    line = {"event": "training", "unit": "a", "step": 1, "iterations": 2, "rate": 1.0, "loss": float("nan"), "f1": 0.5}
    path.write_text(json.dumps(line) + "\n")
    assert told(path).curves == {"a": [(1, {"f1": 0.5})]}
