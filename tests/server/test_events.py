"""A run's beginning and end among its events."""

import json

import pytest

from common.errors import UserError
from server.events import EventFile


def ending(path):
    event = json.loads(path.read_text().splitlines()[-1])
    return event["event"], event["what"], event["how"], event["line"]


def leave(events, error, *stops):
    with pytest.raises(type(error)), events.during("campaign", *stops):
        raise error


class AskedError(Exception):
    """Somebody asked for a stop."""


def test_a_run_that_comes_to_its_end_is_done(tmp_path):
    events = EventFile(tmp_path / "events")
    with events.during("campaign"):
        assert json.loads((tmp_path / "events").read_text())["event"] == "begun"
    assert ending(tmp_path / "events") == ("ended", "campaign", "done", "")


def test_a_run_that_fails_says_why_in_one_line(tmp_path):
    leave(EventFile(tmp_path / "events"), UserError("no\nquorum"))
    assert ending(tmp_path / "events") == ("ended", "campaign", "failed", "no quorum")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(143), AskedError()])
def test_a_run_that_was_asked_to_stop_is_stopped(tmp_path, error):
    leave(EventFile(tmp_path / "events"), error, AskedError)
    assert ending(tmp_path / "events") == ("ended", "campaign", "stopped", "")
