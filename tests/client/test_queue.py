"""Tunings wait their turn, one at a time; what failed is tried again when it is asked for, and only then."""

import re
import threading
from pathlib import Path

import pytest

from client.queue import TuningQueue
from client.tuning import TuningFolder
from common.errors import TooFew, UserError
from common.training.phases import Interrupted
from common.wire import Code, Refused

FIRST, SECOND, THIRD = (TuningFolder(Path(name)) for name in ("first", "second", "third"))
LONG = 250.0


class Bench:
    """Work that the test lets go on when it likes, and that fails as often as it is told to."""

    def __init__(self):
        self.begun, self.at_work, self.go_on, self.errors = [], threading.Event(), threading.Event(), []

    def __call__(self, folder, stop):
        self.begun.append(folder)
        self.at_work.set()
        while not self.go_on.wait(0.005):
            if stop():
                raise Interrupted("finetuning", 1)
        if self.errors:
            raise self.errors.pop()


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def queue(bench):
    queue = TuningQueue(bench)
    yield queue
    queue.stop(LONG)


def test_tunings_are_worked_on_one_after_another_in_the_order_in_which_they_came(queue, bench):
    for folder in (FIRST, SECOND, THIRD):
        queue.add(folder)
    assert queue.folders == (FIRST, SECOND, THIRD)
    bench.go_on.set()
    queue.wait(THIRD, LONG)
    assert (bench.begun, queue.folders) == ([FIRST, SECOND, THIRD], ())


def test_a_tuning_that_is_queued_is_not_queued_twice(queue, bench):
    for _ in range(3):
        queue.add(FIRST)
    assert queue.folders == (FIRST,)
    bench.go_on.set()
    queue.wait(FIRST, LONG)
    assert bench.begun == [FIRST]


def test_a_wait_ends_when_its_time_is_over(queue):
    queue.add(FIRST)
    queue.wait(FIRST, 0.01)
    assert queue.folders == (FIRST,)


def test_nobody_waits_for_what_is_not_queued(queue):
    queue.wait(FIRST, float("inf"))


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (UserError("the disk is full"), Code.FAILED, "a tuning failed: the disk is full"),
        (TooFew("two would do"), Code.TOO_LITTLE_SPEECH, "a tuning failed: two would do"),
        (MemoryError(), Code.FAILED, "a tuning failed"),
        (Refused(Code.TOO_LONG, where="61 minutes spent"), Code.TOO_LONG, "a tuning was ended: .*61 minutes spent"),
    ],
    ids=["foreseen", "too few", "unforeseen", "refused"],
)
def test_a_failure_stops_nobody_else_and_is_tried_again_when_it_is_asked_for(queue, bench, error, code, told, caplog):
    bench.errors = [error]
    bench.go_on.set()
    queue.add(FIRST)
    queue.wait(FIRST, LONG)
    assert queue.failed(FIRST) is code
    assert re.search(told, caplog.text)
    queue.add(SECOND)
    queue.wait(SECOND, LONG)
    assert queue.failed(FIRST) is code
    assert queue.failed(SECOND) is None
    queue.add(FIRST)
    queue.wait(FIRST, LONG)
    assert queue.failed(FIRST) is None
    assert bench.begun == [FIRST, SECOND, FIRST]


def test_a_stop_ends_the_work_and_every_wait_and_begins_nothing_more(queue, bench):
    queue.add(FIRST)
    queue.add(SECOND)
    waiting = threading.Thread(target=queue.wait, args=(SECOND, float("inf")))
    waiting.start()
    bench.at_work.wait(LONG)
    assert queue.stop(LONG)
    waiting.join(LONG)
    assert not waiting.is_alive()
    queue.add(THIRD)
    assert bench.begun == [FIRST]
    assert queue.failed(FIRST) is None


def test_work_that_does_not_end_in_time_is_told_apart():
    at_work, leave = threading.Event(), threading.Event()

    def deaf(folder, stop):
        at_work.set()
        leave.wait()

    queue = TuningQueue(deaf)
    queue.add(FIRST)
    at_work.wait(LONG)
    assert not queue.stop(0.05)
    leave.set()
    assert queue.stop(LONG)


def test_an_empty_queue_keeps_no_thread(queue, bench):
    bench.go_on.set()
    before = threading.active_count()
    queue.add(FIRST)
    queue.wait(FIRST, LONG)
    assert queue.stop(LONG)
    assert threading.active_count() <= before
