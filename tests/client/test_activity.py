"""What a site is at, read from its state folder by whoever may look."""

import json
import os

import pytest

from client.activity import AUDIT, PROGRESS, READING, TUNINGS, VERDICT, activity, reading
from client.audits import AuditFolder
from client.tuning import TuningFolder


@pytest.fixture
def wrote(tmp_path):
    """A function that writes how far something is, at a time."""

    def write(place, step, time):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"step": step, "iterations": 9, "rate": 2.0, "seconds": 1.0}))
        os.utime(path, (time, time))

    return write


def test_a_site_that_is_at_nothing_says_nothing(tmp_path, wrote):
    assert activity(tmp_path) is None
    wrote(f"{TUNINGS}/a/{PROGRESS}", 3, 10)  # given up: nothing is asked any more
    assert activity(tmp_path) is None


def test_the_newest_of_all_is_told(tmp_path, wrote):
    for number, name in enumerate("ab"):
        wrote(f"{TUNINGS}/{name}/asked.json", 0, 1)
        wrote(f"{TUNINGS}/{name}/{PROGRESS}", number, 10 + number)
    assert (activity(tmp_path).doing, activity(tmp_path).step) == ("tuning", 1)
    wrote(f"{TUNINGS}/a/{AUDIT}/{PROGRESS}", 5, 20)
    assert (activity(tmp_path).doing, activity(tmp_path).step, activity(tmp_path).rate) == ("auditing", 5, 2.0)
    wrote(f"{TUNINGS}/a/{AUDIT}/{VERDICT}", 0, 21)  # over
    assert activity(tmp_path).doing == "tuning"
    wrote(READING, 7, 30)
    assert activity(tmp_path).doing == "reading speech"


def test_an_audit_writes_where_it_is_looked_for(tmp_path):
    assert AuditFolder(TuningFolder(tmp_path / TUNINGS / "a")).path == tmp_path / TUNINGS / "a" / AUDIT


def test_reading_is_told_once_a_second_and_forgotten_at_its_end(tmp_path):
    now = [0.0]
    with reading(tmp_path, lambda: now[0]) as tell:
        for done in range(31):
            tell(done, 30)
            now[0] += 0.125
            if done == 25:
                told = activity(tmp_path)
    assert (told.doing, told.step, told.steps) == ("reading speech", 24, 30)
    assert told.rate == 8
    assert activity(tmp_path) is None


def test_reading_ends_with_an_error_too(tmp_path):
    with pytest.raises(ValueError, match="no"), reading(tmp_path) as tell:
        tell(1, 2)
        raise ValueError("no")
    assert not (tmp_path / READING).exists()


def test_a_damaged_file_is_passed_over(tmp_path):
    (tmp_path / READING).write_text("{")
    assert activity(tmp_path) is None
