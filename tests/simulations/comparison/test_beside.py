"""The real mode beside a campaign: begun while a core is idle, finished afterwards, the same as in one go."""

import time

import pytest
from rich.console import Console

from simulations.comparison import beside as module
from simulations.comparison.beside import Beside
from simulations.comparison.workers import Processes
from simulations.federation.campaign import order

QUIET = Console(quiet=True)


@pytest.fixture
def beside(config, weights, tmp_path):
    """A function that opens a campaign's run with so many threads."""

    def opened(threads):
        runtime = config.runtime.model_copy(update={"threads": threads})
        return Beside.of(order(config.model_copy(update={"runtime": runtime}), tmp_path / str(threads), weights))

    return opened


def test_every_session_is_left_out_once_and_what_is_done_is_not_done_again(beside, whole):
    ours = beside(1)
    with ours.begun() as go_on:
        go_on()
    assert ours.finish(QUIET) == []
    assert ours.counts() == whole[0]["counts"]["real"]
    cards = {path: path.stat().st_mtime_ns for path in ours.store.folder.glob("*/*/card.json")}
    assert len(cards) == 6
    assert ours.finish(QUIET) == []
    assert {path: path.stat().st_mtime_ns for path in ours.store.folder.glob("*/*/card.json")} == cards


@pytest.fixture
def yielding(monkeypatch):
    """Whether each process was to yield; none does, for other tests may leave it nothing."""
    asked = []

    def started(*words, yielding):
        asked.append(yielding)
        return Processes(*words)

    monkeypatch.setattr(module, "Processes", started)
    return asked


def test_what_is_computed_while_idle_is_the_same_and_is_kept(beside, whole, yielding):
    ours = beside(2)
    deadline = time.monotonic() + 200
    with ours.begun() as go_on:
        # All but the last: two that are left would be given to processes, as `test_workers.py` has it.
        while len(list(ours.store.folder.glob("*/*/card.json"))) < 5 and time.monotonic() < deadline:
            go_on()
            time.sleep(0.05)
    begun = list(ours.store.folder.glob("score/*/card.json"))
    before = [path.stat().st_mtime_ns for path in begun]
    assert ours.finish(QUIET) == []
    assert [path.stat().st_mtime_ns for path in begun] == before != []
    assert yielding == [True]
    assert ours.counts() == whole[0]["counts"]["real"]
