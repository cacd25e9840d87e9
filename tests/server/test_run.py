"""A run's directory holds one run, tells how it goes, and is nobody else's."""

import json

import pytest

from common.config import load_config
from common.errors import UserError, UserErrors
from common.training.pretrained import save_pretrained
from common.wire import Stage, Working
from server import run
from server.correspondence import Failure
from server.events import EventFile
from server.intake import QUARANTINE
from server.pretraining import pretraining_identity
from server.roster import HOLDERS
from server.run import CONFIG, EVENTS, LOCK, ORDER, Order, open_run, read_run, run_campaign, scores_of

ORDERED = Order("run", "weights", "a1b2", 2, "everyone")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "run"


@pytest.fixture
def opened(folder, config):
    open_run(folder, config, ORDERED, resume=False)
    return folder


def events_in(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line]


class TestOpening:
    """Who may enter a directory."""

    def test_what_was_ordered_is_read_back(self, opened, config):
        stored, order = read_run(opened)
        assert order == ORDERED
        assert stored == config

    def test_a_second_run_in_the_same_directory_is_refused(self, opened, config):
        with pytest.raises(UserError, match="a run has begun here already") as caught:
            open_run(opened, config, ORDERED, resume=False)
        assert str(opened) in str(caught.value)
        assert "--resume" in str(caught.value)

    def test_another_configuration_is_refused_with_every_difference(self, opened, config):
        finetuning = config.finetuning.model_copy(update={"iterations": 3})
        other = config.model_copy(update={"seed": 5, "finetuning": finetuning})
        with pytest.raises(UserErrors, match="another configuration") as caught:
            open_run(opened, other, ORDERED, resume=True)
        seed, iterations = caught.value.problems
        assert seed.startswith("seed: 0 ")
        assert iterations.startswith("finetuning.iterations: 2 ")
        assert read_run(opened)[0] == config

    @pytest.mark.parametrize(
        "changed", [{"plan": "leave-one-session-out"}, {"per_speaker": True}, {"weights": "c3d4"}, {"speech": "e5f6"}]
    )
    def test_another_plan_other_networks_and_other_speech_are_refused(self, opened, config, changed):
        with pytest.raises(UserErrors) as caught:
            open_run(opened, config, Order(**(vars(ORDERED) | changed)), resume=True)
        (name,) = changed
        assert caught.value.problems[0].startswith(f"{name}: ")

    def test_how_a_result_is_come_by_may_change(self, opened, config):
        patient = config.model_copy(update={"campaign": config.campaign.model_copy(update={"attempts": 9})})
        open_run(opened, patient, Order("run", "weights, elsewhere", "a1b2", 7, "everyone"), resume=True)
        stored, order = read_run(opened)
        assert (stored.campaign.attempts, order.expected) == (9, 7)

    def test_a_directory_of_something_else_is_left_alone(self, folder, config):
        folder.mkdir()
        (folder / "thesis.tex").write_text("")
        for resume in (False, True):
            with pytest.raises(UserError, match="holds something else"):
                open_run(folder, config, ORDERED, resume=resume)

    @pytest.mark.parametrize("left", [CONFIG, f".{ORDER}.0a1b2c3d"])
    def test_a_run_killed_in_its_first_moment_can_begin_again(self, folder, config, left):
        folder.mkdir()
        (folder / left).write_text("half")
        open_run(folder, config, ORDERED, resume=True)
        assert read_run(folder)[1] == ORDERED

    def test_there_are_only_the_plans_that_there_are(self, folder, config):
        with pytest.raises(UserError, match=r"no such plan: half; there are .*leave-one-session-out, everyone"):
            open_run(folder, config, Order("run", "weights", "a1b2", 2, "half"), resume=False)
        assert not folder.exists()

    def test_a_run_of_another_version_is_told_as_such(self, folder):
        folder.mkdir()
        (folder / ORDER).write_text('{"name": "run", "base": "weights", "expected": 2}')
        with pytest.raises(UserError, match="a run of another version of eyesoff"):
            read_run(folder)

    @pytest.mark.parametrize("text", [None, "", "{"])
    def test_what_is_no_run_is_not_read_as_one(self, folder, text):
        folder.mkdir()
        if text is not None:
            (folder / ORDER).write_text(text)
        with pytest.raises(UserError, match="not the directory of a run"):
            read_run(folder)

    @pytest.mark.parametrize("preset", ["demo", "small", "paper"])
    def test_every_preset_comes_back_from_its_directory(self, folder, preset):
        open_run(folder, load_config(preset), ORDERED, resume=False)
        open_run(folder, load_config(preset), ORDERED, resume=True)


class TestRunning:
    """The campaign of a directory."""

    @pytest.fixture
    def ordered(self, folder, config, base, tmp_path):
        save_pretrained(tmp_path / "weights", base.pair, base.scaling, pretraining_identity(config), {})
        open_run(folder, config, Order("run", str(tmp_path / "weights"), "a1b2", 2, "everyone"), resume=False)
        return folder

    def test_it_runs_what_was_ordered_and_tells_how_it_goes(self, ordered, clients_of):
        results = run_campaign(ordered, clients_of(2))
        assert results["sessions"] == ["A", "B"]
        events = events_in(ordered / EVENTS)
        assert [event["stage"] for event in events if event["event"] == "stage"] == ["ask", "tune", "train", "score"]
        assert {event["unit"] for event in events if event["event"] == "training"} == {"everyone"}

    def test_two_campaigns_do_not_work_in_one_directory(self, ordered, clients_of):
        first = clients_of(2)

        class Second:
            def names(self, at_least, seconds):
                with pytest.raises(UserError, match="another run is at work in this directory"):
                    run_campaign(ordered, clients_of(2))
                return first.names(at_least, seconds)

            exchange = first.exchange

        assert run_campaign(ordered, Second())["failures"] == []
        assert (ordered / LOCK).exists()
        assert run_campaign(ordered, clients_of(2))["failures"] == []


class TestEvents:
    """What a terminal follows."""

    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / EVENTS

    def test_each_is_a_line(self, path):
        events = EventFile(path)
        events.stage("tune", 2)
        events.done("tune", "A")
        events.working("B", Working(run="run", session="B", stage=Stage.TUNE, step=3, iterations=9, rate=1.5))
        events.failed(Failure("1", "B", "tune", "no answer"))
        told = [{name: value for name, value in event.items() if name != "time"} for event in events_in(path)]
        assert told == [
            {"event": "stage", "stage": "tune", "total": 2},
            {"event": "done", "stage": "tune", "unit": "A"},
            {"event": "working", "unit": "B", "step": 3, "iterations": 9, "rate": 1.5},
            {"event": "failed", "stage": "tune", "unit": "B", "line": "client 1 (B) at tune: no answer"},
        ]

    def test_a_line_that_a_kill_left_torn_spoils_no_other(self, path):
        path.write_text('{"event": "stage"}\n{"event": "do')
        EventFile(path).done("tune", "A")
        *_, torn, last = path.read_text().splitlines()
        assert torn == '{"event": "do'
        assert json.loads(last)["unit"] == "A"

    def test_a_training_tells_of_itself_once_a_second_and_at_its_end(self, path, monkeypatch):
        now = iter(range(0, 1000, 100))
        monkeypatch.setattr("server.events.time.monotonic", lambda: next(now) / 250)
        training = EventFile(path).training("everyone")
        training.begin("recognizer", 10, 60)
        for step in (20, 30, 40, 50, 60):
            training.record("recognizer", step, {"loss": 0.5})
        told = events_in(path)
        assert [event["step"] for event in told] == [30, 60]
        assert all((event["unit"], event["iterations"], event["loss"]) == ("everyone", 60, 0.5) for event in told)

    def test_a_full_disk_is_named(self, path, disk_with_room_for):
        events = EventFile(path)
        with disk_with_room_for(0), pytest.raises(UserError, match="cannot write") as caught:
            events.stage("tune", 2)
        assert str(path) in str(caught.value)


def test_the_module_tells_the_layout_of_the_directory():
    for name in (CONFIG, ORDER, EVENTS, QUARANTINE, HOLDERS, "campaign.json", "bank/", "recognizers/", "counts/"):
        assert name in run.__doc__


def test_the_line_of_scores_says_where_nobody_else_was_tested():
    def fold(name, test):
        return {"name": name, "train": ["a"], "test": [test], "counts": {test: [[[2, 0], [0, 2]]]}}

    assert scores_of({"folds": [fold("b", "b")]}) == "b 1.00"
    assert scores_of({"folds": [fold("all", "a")]}) == "all 1.00 (on speakers that it was trained on, so no test)"
