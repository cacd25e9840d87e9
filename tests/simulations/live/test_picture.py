"""What is told of a run, from its folder alone."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from client.history import Record
from client.ledger import Ledger
from client.simulated import SITES
from client.site import STATE
from common.errors import UserError
from server.bank import Bank
from server.campaign import BANK
from server.campaign import RESULTS as OUTCOME
from server.events import EventFile
from server.run import EVENTS
from simulations.comparison.schema import RESULTS
from simulations.comparison.store import LEDGER
from simulations.live import picture as names
from simulations.live.picture import CURVES, QUIET, Picture, follow, runs_in
from simulations.report.writing import REPORT


def test_files_are_called_as_those_who_write_them_call_them():
    assert (names.EVENTS, names.RESULTS, names.OUTCOME, names.REPORT) == (EVENTS, RESULTS, OUTCOME, REPORT)
    assert (names.SITES, names.STATE, names.LEDGER, names.BANK) == (SITES, STATE, LEDGER, BANK)


def test_a_page_does_not_wait_for_torch():
    told = "import simulations.live.picture, simulations.live.serving, common.training.interruption, sys"
    heavy = "sorted({'torch', 'numpy', 'pydantic', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", f"{told}; print({heavy})"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_everything_that_a_run_tells_is_told(busy):
    told = Picture(busy).look()
    assert (told["name"], told["what"], told["state"]) == ("run", "simulation", "at work")
    assert told["stages"] == [{"name": "ask", "done": 2, "total": 2}, {"name": "tune", "done": 1, "total": 2}]
    assert [(one["name"], one["doing"]) for one in told["clients"]] == [("A", "generator in the bank"), ("B", "tuning")]
    assert told["clients"][1]["step"] == 3
    assert told["work"] == [{"name": "everyone", "step": 20, "steps": 40, "rate": 2.0}]
    assert told["curves"] == [{"name": "everyone", "lines": {"loss": [[10, 0.1], [20, 0.05]]}}]
    assert [one["line"] for one in told["failures"]] == ["client 1 (B) at tune: <b>no answer</b>"]
    assert told["aside"] == ["C is put aside: constant"]
    assert [(one["client"], one["kind"], one["count"], one["bytes"]) for one in told["left"]] == [
        ("A", "release", 1, 1200)
    ]


def test_a_training_without_steps_has_no_curve(busy, events):
    events.write(event="training", unit="score real", step=0, iterations=1, rate=0.0)
    assert [one["name"] for one in Picture(busy).look()["curves"]] == ["everyone"]


def test_a_training_that_told_one_point_has_no_curve_yet(busy, events):
    events.write(event="training", unit="fold 0", step=10, iterations=40, rate=2.0, loss=1.0)
    assert [one["name"] for one in Picture(busy).look()["curves"]] == ["everyone"]
    events.write(event="training", unit="fold 0", step=20, iterations=40, rate=2.0, loss=0.9)
    assert [one["name"] for one in Picture(busy).look()["curves"]] == ["everyone", "fold 0"]


def test_a_second_look_tells_what_is_new(busy, events):
    picture = Picture(busy)
    picture.look()
    events.done("tune", "B")
    assert picture.look()["stages"][1] == {"name": "tune", "done": 2, "total": 2}


@pytest.mark.parametrize("how", ["done", "stopped", "failed"])
def test_a_run_that_has_ended_says_how_and_why(busy, events, how):
    events.write(event="ended", what="simulation", how=how, line="no quorum")
    told = Picture(busy).look()
    assert (told["state"], told["why"]) == (how, "no quorum")
    assert told["ended"] >= told["began"] > 0
    assert {one["name"]: one["doing"] for one in told["clients"]}["B"] == "not at work"
    assert told["work"] == []


def test_a_run_that_was_killed_is_quiet_after_a_while(busy):
    last = Picture(busy).look()["last"]
    assert Picture(busy, clock=lambda: last + QUIET - 1).look()["state"] == "at work"
    assert Picture(busy, clock=lambda: last + QUIET + 1).look()["state"] == "quiet"


def test_a_run_of_before_there_were_such_events_has_ended_if_it_has_results(run):
    (run / "results.json").write_text("{}")
    assert Picture(run).look()["state"] == "done"


def test_what_has_left_is_read_from_the_clients_own_ledgers(busy):
    state = busy / "sites" / "A" / "state"
    state.mkdir(parents=True)
    ledger = Ledger(state / "ledger.jsonl")
    ledger.append(Record(time=datetime.now(UTC), outcome="admitted", kind="tune"))
    for size in (100, 200):
        ledger.append(Record(time=datetime.now(UTC), outcome="sent", kind="working", bytes=size))
    picture = Picture(busy)
    assert [(one["client"], one["kind"], one["count"], one["bytes"]) for one in picture.look()["left"]] == [
        ("A", "working", 2, 300)
    ]
    ledger.append(Record(time=datetime.now(UTC), outcome="sent", kind="release", bytes=5000))
    assert [one["kind"] for one in picture.look()["left"]] == ["working", "release"]


def test_what_came_to_a_server_is_told_by_the_cards_of_its_bank(run, events, release):
    events.stage("tune", 1)
    banked = Bank(run / BANK).add(release)
    assert [(one["client"], one["kind"], one["count"], one["bytes"]) for one in Picture(run).look()["left"]] == [
        (banked.session, "release", 1, banked.bytes)
    ]


def test_only_the_last_trainings_have_curves(run, events):
    for number in range(CURVES + 3):
        for step in (1, 2):
            events.write(event="training", unit=f"unit {number}", step=step, iterations=2, rate=1.0, loss=0.5)
    names = [one["name"] for one in Picture(run).look()["curves"]]
    assert names == sorted(f"unit {number}" for number in range(3, CURVES + 3))


def test_the_runs_of_a_demo_are_found_in_its_folder(tmp_path):
    for name in ("campaign-b", "campaign-a"):
        (tmp_path / name).mkdir()
        EventFile(tmp_path / name / EVENTS).stage("ask", 5)
    (tmp_path / "pictures").mkdir()
    assert [run.name for run in runs_in(tmp_path)] == ["campaign-a", "campaign-b"]
    assert runs_in(tmp_path / "campaign-a") == (tmp_path / "campaign-a",)


def test_the_second_run_of_a_demo_is_found_when_it_begins(tmp_path):
    (tmp_path / "campaign-b").mkdir()
    EventFile(tmp_path / "campaign-b" / EVENTS).stage("ask", 5)
    look = follow(tmp_path)
    assert [run["name"] for run in look()] == ["campaign-b"]
    (tmp_path / "campaign-a").mkdir()
    EventFile(tmp_path / "campaign-a" / EVENTS).stage("ask", 5)
    assert [run["name"] for run in look()] == ["campaign-a", "campaign-b"]


@pytest.mark.parametrize(("name", "said"), [("nowhere", "no such run"), (".", "no run has begun here")])
def test_a_run_that_is_not_there_is_refused(tmp_path, name, said):
    with pytest.raises(UserError, match=f"{said}.*; one that has just been started .* try again"):
        runs_in(tmp_path / name)


def test_looking_writes_nothing(busy):
    before = {path: path.read_bytes() for path in busy.rglob("*") if path.is_file()}
    json.dumps(Picture(busy).look())
    assert {path: path.read_bytes() for path in busy.rglob("*") if path.is_file()} == before
