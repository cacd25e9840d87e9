"""What is seen of a campaign while it runs: each event once, and a picture that says where everybody is."""

import json
import time
from dataclasses import asdict
from io import StringIO

import pytest
from rich.console import Console

from client.tuning import Progress
from common.wire import Stage, Working
from server.correspondence import Failure
from server.events import EventFile
from server.intake import Aside
from server.run import EVENTS
from simulations.federation.story import Story
from simulations.federation.watching import Watch


@pytest.fixture
def events(tmp_path):
    return EventFile(tmp_path / EVENTS)


@pytest.fixture
def console():
    return Console(record=True, width=100, force_terminal=False)


@pytest.fixture
def terminal():
    return Console(record=True, width=100, force_terminal=True, file=StringIO())


def test_a_log_hears_each_event_once_and_no_step(tmp_path, events, console):
    with Watch(tmp_path, console) as watch:
        events.stage("tune", 2)
        watch()
        events.done("tune", "A")
        events.working("B", Working(run="run", session="B", stage=Stage.TUNE, step=3, iterations=9, rate=1.5))
        watch()
        watch()
        events.failed(Failure("1", "B", "tune", "[bold]no answer"))
        events.put_aside(Aside(session="C", check="samples", reason="constant", name="C-0", weights="0"))
    assert console.export_text().splitlines() == [
        "tune: 2 to do",
        "tune: A done",
        "failed: client 1 (B) at tune: [bold]no answer",
        "C is put aside: constant",
    ]


@pytest.mark.parametrize(
    "line", ["5", "[]", "null", "{}", '{"event": "done"}', '{"event": ["stage"]}', '{"event": "training"}']
)
def test_a_line_that_is_none_of_ours_is_passed_over(tmp_path, events, line):
    with (tmp_path / EVENTS).open("a") as stream:
        stream.write(f"{line}\n")
    events.done("tune", "A")
    story = Story()
    story.follow(tmp_path / EVENTS)
    assert story.done == {"tune": {"A"}}
    assert story.training == {}


def test_what_an_earlier_run_told_is_not_told_again(tmp_path, events, console):
    events.stage("tune", 2)
    with Watch(tmp_path, console):
        events.done("tune", "A")
    assert console.export_text() == "tune: A done\n"


def test_half_a_line_waits_for_its_other_half_and_a_torn_one_is_passed_over(tmp_path):
    path, story = tmp_path / EVENTS, Story()
    line = json.dumps({"event": "done", "stage": "tune", "unit": "Ä"}, ensure_ascii=False)
    path.write_text(line[:30])
    assert story.follow(path) == []
    path.write_text(line + "\n")
    assert [event["unit"] for event in story.follow(path)] == ["Ä"]
    with path.open("a") as stream:
        stream.write("{torn\n" + line + "\n")
    assert len(story.follow(path)) == 1
    assert story.done == {"tune": {"Ä"}}


def test_a_run_that_has_not_begun_has_nothing_to_tell(tmp_path, console):
    with Watch(tmp_path, console) as watch:
        watch()
    assert console.export_text() == ""


def test_a_terminal_shows_where_everybody_is(tmp_path, events, terminal):
    for session, progress in {"A": None, "B": Progress(3, 12, 1.5, 2.0), "C": None}.items():
        folder = tmp_path / "sites" / session / "state" / "tunings" / "0a1b"
        folder.mkdir(parents=True)
        (folder / "asked.json").write_text("{}")
        if progress:
            (folder / "progress.json").write_text(json.dumps(asdict(progress)))
    events.stage("tune", 3)
    with Watch(tmp_path, terminal) as watch:
        watch._story.read = 0
        events.done("tune", "A")
        watch()
        terminal.print(watch._table())
    shown = terminal.export_text()
    assert "tune" in shown
    assert "1/3" in shown
    assert "generator in the bank" in shown
    assert "3/12" in shown
    assert "1.50 it/s 0:00:06 left" in " ".join(shown.split())
    assert "waiting" in shown


def test_a_terminal_shows_how_a_training_goes_until_its_stage_is_over(tmp_path, events, terminal):
    watch = Watch(tmp_path, terminal)
    events.stage("train", 2)
    events.write(event="training", unit="Session1", step=5, iterations=10, rate=5.0, loss=0.1)
    watch._story.follow(tmp_path / EVENTS)
    terminal.print(watch._table())
    assert "Session1" in (shown := terminal.export_text())
    assert "5/10" in shown
    events.stage("score", 2)
    watch._story.follow(tmp_path / EVENTS)
    terminal.print(watch._table())
    assert "Session1" not in terminal.export_text()


def test_the_first_line_moves_with_the_clock_whatever_the_others_do(tmp_path, events, terminal):
    now = [100.0]
    watch = Watch(tmp_path, terminal, lambda: now[0])
    events.stage("tune", 5)
    watch._story.follow(tmp_path / EVENTS)
    for seconds, told in ((0, "0:00:00"), (1, "0:00:01"), (4, "0:00:05")):
        now[0] += seconds
        terminal.print(watch._table())
        assert told in terminal.export_text()


@pytest.mark.parametrize(
    ("place", "said"),
    [("reading.json", "B, reading speech"), ("tunings/0/audit/progress.json", "B, auditing")],
)
def test_a_client_that_reads_or_audits_is_not_waiting(tmp_path, terminal, place, said):
    state = tmp_path / "sites" / "B" / "state"
    (state / place).parent.mkdir(parents=True, exist_ok=True)
    (state / "tunings" / "0").mkdir(parents=True, exist_ok=True)
    (state / "tunings" / "0" / "asked.json").write_text("{}")
    (state / place).write_text('{"step": 20, "iterations": 30, "rate": 4.0, "seconds": 5.0}')
    terminal.print(Watch(tmp_path, terminal)._table())
    shown = " ".join(terminal.export_text().split())
    assert said in shown
    assert "20/30 4.00 it/s 0:00:02 left" in shown
    assert "waiting" not in shown


def test_a_watch_looks_by_itself_while_its_block_is_busy(tmp_path, events, console):
    with Watch(tmp_path, console):
        events.done("tune", "A")
        deadline = time.monotonic() + 20
        while not console.export_text(clear=False) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert console.export_text() == "tune: A done\n"
