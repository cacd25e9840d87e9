"""A tuning ends with the same generator, however often it was interrupted and whatever was damaged meanwhile."""

import errno
import json
import os
import shutil
from itertools import count

import pytest
import torch

from client.activity import ASKED, PROGRESS, activity
from client.bases import BASES, Base, Bases
from client.bounds import Bounds
from client.dice import Dice
from client.door import Door
from client.site import Site
from client.tuning import (
    DONE,
    LOCK,
    SNAPSHOTS,
    Clock,
    Grant,
    TuningFolder,
    tune,
)
from common.errors import UserError
from common.features.cache import Features
from common.training import distillation
from common.training.checkpoint import TENSORS
from common.training.distillation import DISTILLATION
from common.training.phases import Interrupted
from common.wire import Code, Refused

STEPS = 4
LONG = 250.0
DICE, OTHER_DICE = Dice(b"a" * 32), Dice(b"b" * 32)


def never():
    return False


def after(steps):
    """A wish to stop that comes in the given step."""
    counted = count(1)
    return lambda: next(counted) >= steps


@pytest.fixture
def door(site):
    return Door(site)


@pytest.fixture
def send_base(site, ask_to_tune):
    """Keep the networks at the site, as it does with those that ride along."""

    def send():
        asked = ask_to_tune()
        Bases(site.state).keep(Base(asked.base, asked.tuning.scaling))

    return send


@pytest.fixture
def tuned(door, site, granting, send_base):
    """Bring a folder to its end, or to its next interruption; the answer is its generator's weights."""
    send_base()
    bounds = Bounds(**granting["bounds"])

    def make(folder, stop=never, *, dice=DICE, seconds=LONG, **bound):
        grant = Grant(Bases(site.state), dice, bounds.model_copy(update=bound), seconds)
        tune(folder, door, site.runtime, grant, stop)
        return folder.finished()[0]

    return make


@pytest.fixture
def folder(site, ask_to_tune):
    folder = TuningFolder(site.state / "tunings" / "first")
    folder.keep(ask_to_tune(iterations=STEPS).tuning)
    return folder


@pytest.fixture(scope="module")
def expected(speech, tmp_path_factory, ask_to_tune, granting):
    """The weights of a tuning that nothing ever happened to."""
    state = tmp_path_factory.mktemp("expected")
    site = Site(session="03+08", root=speech, state=state)
    asked, bases, folder = ask_to_tune(iterations=STEPS), Bases(state), TuningFolder(state / "undisturbed")
    bases.keep(Base(asked.base, asked.tuning.scaling))
    folder.keep(asked.tuning)
    tune(folder, Door(site), site.runtime, Grant(bases, DICE, Bounds(**granting["bounds"]), LONG), never)
    return folder.finished()[0]


def same(left, right):
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def interrupt(tuned, folder, steps):
    with pytest.raises(Interrupted):
        tuned(folder, after(steps))
    assert not folder.is_finished


def no_space(descriptor):
    raise OSError(errno.ENOSPC, "No space left on device")


def newest(folder):
    return sorted((folder.path / SNAPSHOTS).glob("*/[0-9]*"))[-1]


def test_the_same_request_gives_the_same_generator_bit_for_bit(tuned, folder, expected):
    assert same(tuned(folder), expected)


@pytest.mark.parametrize(
    ("dice", "changed", "alike"),
    [(DICE, {}, True), (OTHER_DICE, {}, False), (DICE, {"run": "run-2"}, False)],
    ids=["the same dice", "another site's dice", "another run"],
)
def test_two_sites_of_equal_data_release_the_same_weights_only_if_their_secrets_are_equal(
    tuned, folder, expected, ask_to_tune, dice, changed, alike
):
    another = TuningFolder(folder.path.with_name("another"))
    another.keep(ask_to_tune(iterations=STEPS, **changed).tuning)
    assert same(tuned(another, dice=dice), expected) == alike


def test_one_that_was_interrupted_twice_ends_like_one_that_was_not(tuned, folder, expected):
    interrupt(tuned, folder, 2)
    interrupt(tuned, folder, 1)
    assert newest(folder).name == "00000003"
    assert same(tuned(folder), expected)


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: bytes(len(data))], ids=["cut", "0"]
)
def test_a_damaged_snapshot_falls_back_to_the_one_before(tuned, folder, expected, damage, caplog):
    interrupt(tuned, folder, 3)
    tensors = newest(folder) / TENSORS
    tensors.write_bytes(damage(tensors.read_bytes()))
    interrupt(tuned, folder, 1)
    assert newest(folder).name == "00000003"  # it had gone back to step 2, and no further
    assert "a snapshot is dropped" in caplog.text
    assert same(tuned(folder), expected)


def test_if_every_snapshot_is_damaged_it_begins_again(tuned, folder, expected):
    interrupt(tuned, folder, 3)
    for tensors in (folder.path / SNAPSHOTS).rglob(TENSORS):
        tensors.write_bytes(b"")
    assert same(tuned(folder), expected)


def test_snapshots_of_other_speech_are_not_gone_on_with(tuned, folder, expected, door, caplog):
    interrupt(tuned, folder, 3)
    object.__setattr__(door.features, "key", "table-0123456789abcdef")
    assert same(tuned(folder), expected)
    assert "speech" in caplog.text


def test_a_finished_one_keeps_its_generator_alone(tuned, folder):
    first = tuned(folder)
    assert {path.name for path in folder.path.iterdir()} == {ASKED, DONE, LOCK}
    written = (folder.path / DONE / TENSORS).stat().st_mtime_ns
    assert same(tuned(folder, dice=OTHER_DICE), first)  # which does nothing
    assert (folder.path / DONE / TENSORS).stat().st_mtime_ns == written


def test_what_a_kill_between_the_last_two_files_left_is_tidied_away(tuned, folder):
    interrupt(tuned, folder, 3)
    snapshots, progress = folder.path / SNAPSHOTS, folder.path / PROGRESS
    shutil.copytree(snapshots, folder.path / "left")
    told = progress.read_text()
    tuned(folder)
    (folder.path / "left").rename(snapshots)
    progress.write_text(told)
    tuned(folder)
    assert {path.name for path in folder.path.iterdir()} == {ASKED, DONE, LOCK}


def test_a_damaged_generator_is_dropped_to_be_tuned_again(tuned, folder, expected):
    tuned(folder)
    (folder.path / DONE / TENSORS).write_bytes(b"half")
    assert folder.finished() is None
    assert not folder.is_finished
    assert same(tuned(folder), expected)


@pytest.mark.parametrize("text", ["", "{", '{"run": "r"}'])
def test_what_cannot_be_read_was_never_asked(folder, text):
    (folder.path / ASKED).write_text(text)
    assert folder.asked() is None


def test_what_was_never_asked_is_not_begun(tuned, site):
    with pytest.raises(UserError, match="no tuning was asked for"):
        tuned(TuningFolder(site.state / "tunings" / "empty"))


def test_networks_that_were_damaged_on_the_disk_fail_with_a_name_and_are_mended_by_the_next_request(
    tuned, folder, expected, site, send_base
):
    (tensors,) = (site.state / BASES).rglob(TENSORS)
    tensors.write_bytes(b"half")
    with pytest.raises(UserError, match="truncated or altered"):
        tuned(folder)
    assert not Bases(site.state).has(folder.asked().base)
    send_base()
    assert same(tuned(folder), expected)


@pytest.mark.parametrize("look", ["variety", "saturation", "gradient"])
@pytest.mark.parametrize(("floor", "fits"), [(-1, True), (1e11, False)], ids=["below what they give", "above"])
def test_networks_that_look_other_than_the_bounds_grant_are_refused_before_any_speech_is_read(
    tuned, folder, monkeypatch, look, floor, fits
):
    monkeypatch.setattr(Features, "examples", lambda *arguments, **named: pytest.fail("speech is read"))
    word = "speech is read" if fits else "out-of-bounds"
    with pytest.raises((Refused, pytest.fail.Exception), match=word):
        tuned(folder, **{look: (floor, 1e12)})


def test_one_that_takes_too_long_is_ended_by_name_and_goes_on_when_there_is_more_time(
    tuned, folder, expected, monkeypatch
):
    with monkeypatch.context() as slow:
        slow.setattr(Clock, "seconds", property(lambda clock: 61.0))
        with pytest.raises(Refused, match="1 minutes spent") as ended:
            tuned(folder, seconds=60.0)
    assert ended.value.code is Code.TOO_LONG
    assert not folder.is_finished
    assert same(tuned(folder, seconds=LONG), expected)


def test_asked_again_when_its_time_is_spent_it_does_no_further_step(tuned, folder):
    interrupt(tuned, folder, 2)
    progress = json.loads((folder.path / PROGRESS).read_text())
    (folder.path / PROGRESS).write_text(json.dumps(progress | {"seconds": 101.0}))
    for _ in range(2):
        with pytest.raises(Refused, match="too-long"):
            tuned(folder, seconds=100.0)
    assert newest(folder).name == "00000002"


def test_the_time_before_an_interruption_counts(tuned, folder):
    interrupt(tuned, folder, 2)
    progress = json.loads((folder.path / PROGRESS).read_text())
    (folder.path / PROGRESS).write_text(json.dumps(progress | {"seconds": 100.0}))
    with pytest.raises(Refused, match="too-long"):
        tuned(folder, seconds=100.0)


def test_a_full_disk_fails_by_name_and_costs_what_came_after_the_last_snapshot(tuned, folder, expected, monkeypatch):
    interrupt(tuned, folder, 2)
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", no_space)
        with pytest.raises(UserError, match="No space left"):
            tuned(folder)
    assert newest(folder).name == "00000002"
    assert same(tuned(folder), expected)


class TestDistilled:
    """A tuning that is followed by a distillation."""

    @pytest.fixture(autouse=True)
    def _short(self, monkeypatch):
        monkeypatch.setattr(distillation, "STEPS", 5)

    @pytest.fixture
    def folder(self, site, ask_to_tune):
        folder = TuningFolder(site.state / "tunings" / "distilled")
        folder.keep(ask_to_tune(iterations=STEPS, rank=2, distilled=True).tuning)
        return folder

    @pytest.fixture
    def again(self, folder):
        """Asked for the same, and never disturbed."""
        again = TuningFolder(folder.path.with_name("again"))
        again.keep(folder.asked())
        return again

    @pytest.mark.parametrize("steps", [pytest.param(STEPS, marks=pytest.mark.slow), STEPS + 1])
    def test_one_that_was_interrupted_ends_like_one_that_was_not(self, tuned, folder, again, steps):
        expected = tuned(again)
        interrupt(tuned, folder, steps)
        assert same(tuned(folder), expected)

    @pytest.mark.parametrize("stage", [pytest.param("finetuning", marks=pytest.mark.slow), DISTILLATION])
    def test_a_damaged_snapshot_of_either_stage_falls_back_to_the_one_before(self, tuned, folder, again, stage):
        expected = tuned(again)
        interrupt(tuned, folder, STEPS + 3)
        damaged = sorted((folder.path / SNAPSHOTS / stage).iterdir())[-1]
        (damaged / TENSORS).write_bytes(b"half")
        assert same(tuned(folder), expected)

    def test_its_time_is_that_of_both(self, tuned, folder):
        interrupt(tuned, folder, STEPS + 1)
        assert folder.progress().doing == "distilling"
        assert activity(folder.path.parents[1]).doing == "distilling"
        progress = json.loads((folder.path / PROGRESS).read_text())
        (folder.path / PROGRESS).write_text(json.dumps(progress | {"seconds": 100.0}))
        with pytest.raises(Refused, match="too-long"):
            tuned(folder, seconds=100.0)


def test_progress_counts_the_time_before_an_interruption(folder):
    Clock(folder).begin("finetuning", 0, 100)
    begun = folder.progress()
    (folder.path / PROGRESS).write_text('{"step": 50, "iterations": 100, "rate": 2.0, "seconds": 25.0}')
    clock = Clock(folder)
    clock.begin("finetuning", 50, 100)
    resumed = folder.progress()
    assert (begun.step, resumed.step, resumed.iterations) == (0, 50, 100)
    assert begun.seconds < 25 < resumed.seconds < 50
    assert clock.seconds >= resumed.seconds


def test_progress_is_written_seldom_but_at_the_end(folder):
    clock = Clock(folder)
    clock.begin("finetuning", 0, 100)
    clock.record("finetuning", 10, {"loss": 0.123})
    assert folder.progress().step == 0
    clock.record("finetuning", 100, {"loss": 0.123})
    assert folder.progress().step == 100
    assert "0.123" not in (folder.path / PROGRESS).read_text()


def test_a_full_disk_does_not_end_a_tuning_for_the_sake_of_its_progress(folder, monkeypatch):
    monkeypatch.setattr(os, "fsync", no_space)
    Clock(folder).begin("finetuning", 0, 100)
    assert folder.progress() is None


def test_a_sites_progress_is_that_of_the_tuning_it_was_last_at(tmp_path, folder):
    state, asked = tmp_path / "state", folder.asked()
    assert activity(state) is None
    Clock(folder).begin("finetuning", 3, 9)
    assert (activity(state).step, activity(state).steps) == (3, 9)
    assert activity(state).doing == "tuning"
    folder.give_up()
    assert folder.progress().step == 3
    assert activity(state) is None
    folder.keep(asked)
    assert activity(state).step == 3
    folder.tidy()
    assert activity(state) is None
