"""A keeper whose disk is full answers nothing, says that it is not well, and goes on as soon as there is room."""

import errno
import os
from contextlib import contextmanager

import pytest

from client import ledger as ledger_module
from client.activity import TUNINGS
from client.ledger import entries, verify
from common import files
from common.errors import UserError
from common.wire import Ask, Code, Description, Refusal, Release

LONG = 250.0
ASK = Ask(run="run-1")


@contextmanager
def full_disk(monkeypatch, folder, room):
    """A disk that takes so many files more below a folder."""
    real, taken = files._fill_and_replace, []

    def fill(path, write, mode):
        if folder in path.parents:
            taken.append(path)
            if len(taken) > room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(path, write, mode)

    with monkeypatch.context() as patched:
        patched.setattr(files, "_fill_and_replace", fill)
        yield


@pytest.mark.parametrize("left", [0, 100, 900], ids=["no byte", "half a line", "a line and a half"])
def test_a_disk_that_fills_in_the_midst_of_a_ledger_line(keeper, site, said, left, disk_with_room_for):
    assert isinstance(said(keeper, ASK), Description)
    with disk_with_room_for(site.ledger.stat().st_size + left):
        for _ in range(5):
            with pytest.raises(UserError, match="the ledger: cannot be written"):
                while True:
                    said(keeper, ASK)
            assert keeper.status()["well"] is False
    assert isinstance(said(keeper, ASK), Description)
    assert keeper.status()["well"] is True
    assert verify(site.ledger).problems == ()


def test_a_health_check_finds_the_room_even_if_nobody_asks_for_anything(keeper, site, said, disk_with_room_for):
    said(keeper, ASK)
    with disk_with_room_for(site.ledger.stat().st_size + 100), pytest.raises(UserError):
        said(keeper, ASK)
    told = keeper.status()
    assert (told["well"], told["entries"], told["head"]) == (True, 2, verify(site.ledger).head)
    assert [entry.outcome for entry in entries(site.ledger)] == ["sent", "healed"]


def test_a_disk_with_hardly_any_room_left(keeper, said, monkeypatch, caplog):
    with monkeypatch.context() as patched:
        patched.setattr(ledger_module, "ROOM", 2**62)
        with pytest.raises(UserError, match="its disk is full"):
            said(keeper, ASK)
        assert [keeper.status()["well"] for _ in range(3)] == 3 * [False]
    assert caplog.text.count("nothing can be answered: the ledger: its disk is full") == 1
    assert isinstance(said(keeper, ASK), Description)
    assert keeper.status()["well"] is True


def test_a_folder_that_cannot_be_written(keeper, said, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("os.access", lambda path, mode, **how: False)
        assert keeper.status()["well"] is False
    assert keeper.status()["well"] is True


@pytest.mark.parametrize("room", [0, 1, 3, 8])
def test_a_disk_that_fills_during_a_tuning(keeper, site, said, ask_to_tune, monkeypatch, room):
    request = ask_to_tune(iterations=9)
    with full_disk(monkeypatch, site.state / TUNINGS, room):
        told = said(keeper, request, LONG)
        assert isinstance(told, Refusal)
        assert told.code is Code.FAILED
        assert keeper.status()["well"] is True  # for it answers
    assert isinstance(said(keeper, request, LONG), Release)
