"""A tuning ends with the same generator, however often it was interrupted and whatever was damaged meanwhile."""

import errno
import os
from itertools import count

import pytest
import torch

from client.door import Door
from client.site import Site
from client.tuning import BASE, DONE, PROGRESS, SNAPSHOTS, Clock, Progress, TuningFolder, read_progress, tune
from common.errors import UserError
from common.training.checkpoint import TENSORS
from common.training.phases import Interrupted

STEPS = 4


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
def tuned(door, site):
    """Bring a folder to its end, or to its next interruption; the answer is its generator's weights."""

    def make(folder, stop=never):
        tune(folder, door, site.runtime, stop)
        return folder.finished()[0]

    return make


@pytest.fixture
def folder(tmp_path, ask_to_tune):
    folder = TuningFolder(tmp_path / "state" / "tunings" / "first")
    folder.keep(ask_to_tune(iterations=STEPS))
    return folder


@pytest.fixture(scope="module")
def expected(speech, tmp_path_factory, ask_to_tune):
    """The weights of a tuning that nothing ever happened to."""
    state = tmp_path_factory.mktemp("expected")
    site = Site(session="03+08", root=speech, state=state)
    folder = TuningFolder(state / "undisturbed")
    folder.keep(ask_to_tune(iterations=STEPS))
    tune(folder, Door(site), site.runtime, never)
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


def test_the_same_request_gives_the_same_generator_bit_for_bit_and_another_seed_another(
    tuned, folder, expected, ask_to_tune
):
    assert same(tuned(folder), expected)
    another = TuningFolder(folder.path.with_name("another"))
    another.keep(ask_to_tune(iterations=STEPS, seed=8))
    assert not same(tuned(another), expected)


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
    tuned(folder)
    assert not any((folder.path / name).exists() for name in (BASE, SNAPSHOTS, PROGRESS))
    tuned(folder)  # which does nothing
    assert folder.asked() is None


def test_what_a_kill_between_the_last_two_files_left_is_tidied_away(tuned, folder, ask_to_tune):
    tuned(folder)
    folder.keep(ask_to_tune(iterations=STEPS))
    tuned(folder)
    assert not (folder.path / BASE).exists()


def test_a_damaged_generator_is_dropped_to_be_tuned_again(tuned, folder, expected, ask_to_tune):
    tuned(folder)
    (folder.path / DONE / TENSORS).write_bytes(b"half")
    assert folder.finished() is None
    assert not folder.is_finished
    folder.keep(ask_to_tune(iterations=STEPS))
    assert same(tuned(folder), expected)


@pytest.mark.parametrize("text", ["", "{", '{"run": "r"}'])
def test_what_cannot_be_read_was_never_asked(folder, text):
    (folder.path / "asked.json").write_text(text)
    assert folder.asked() is None


def test_networks_that_were_damaged_on_the_disk_fail_with_a_name_and_are_mended_by_the_next_request(
    tuned, folder, expected, ask_to_tune
):
    (folder.path / BASE / TENSORS).write_bytes(b"half")
    with pytest.raises(UserError, match="truncated or altered"):
        tuned(folder)
    folder.keep(ask_to_tune(iterations=STEPS))
    assert same(tuned(folder), expected)


def test_a_full_disk_fails_by_name_and_costs_what_came_after_the_last_snapshot(tuned, folder, expected, monkeypatch):
    interrupt(tuned, folder, 2)
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", no_space)
        with pytest.raises(UserError, match="No space left"):
            tuned(folder)
    assert newest(folder).name == "00000002"
    assert same(tuned(folder), expected)


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
    state = tmp_path / "state"
    assert read_progress(state) is None
    Clock(folder).begin("finetuning", 3, 9)
    assert (read_progress(state).step, read_progress(state).iterations) == (3, 9)
    assert isinstance(read_progress(state), Progress)
    folder.tidy()
    assert read_progress(state) is None
