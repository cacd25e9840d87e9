"""The site's own log holds what nobody else is told."""

import json
import logging
import os
import stat
from datetime import datetime

import pytest

from client.journal import LOG, journal
from common.errors import UserError

KEEPER = logging.getLogger("client.keeper")


def test_it_holds_what_the_client_side_says_while_it_is_open_and_nothing_else(tmp_path):
    with journal(tmp_path):
        KEEPER.info("inside")
        logging.getLogger("server.campaign").error("elsewhere")
    KEEPER.error("afterwards")
    text = (tmp_path / LOG).read_text()
    assert "INFO client.keeper: inside" in text
    assert "elsewhere" not in text
    assert "afterwards" not in text


def test_it_grows_and_only_its_owner_may_read_it(tmp_path):
    for word in ("first", "second"):
        with journal(tmp_path / "state"):
            KEEPER.info(word)
    path = tmp_path / "state" / LOG
    assert [line.split()[-1] for line in path.read_text().splitlines()] == ["first", "second"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_ends_the_keeper_is_written_down_with_its_traceback(tmp_path):
    with pytest.raises(ValueError, match="odd"), journal(tmp_path):
        raise ValueError("odd")
    assert "Traceback" in (tmp_path / LOG).read_text()


def test_what_the_steward_can_mend_is_written_down_as_one_line(tmp_path):
    with pytest.raises(UserError, match="no such policy"), journal(tmp_path):
        raise UserError("no such policy", where="policy.toml")
    (line,) = (tmp_path / LOG).read_text().splitlines()
    assert line.endswith("the keeper ended: no such policy: policy.toml")


def test_as_json_a_record_is_one_line_whatever_it_says(tmp_path):
    with journal(tmp_path, "json"):
        KEEPER.warning("left out: %s", "two\nlines")
        try:
            raise ValueError("odd")
        except ValueError:
            KEEPER.exception("failed")
    first, second = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert (first["level"], first["logger"], first["message"]) == ("warning", "client.keeper", "left out: two\nlines")
    assert datetime.fromisoformat(first["time"]).tzinfo is not None
    assert "traceback" not in first
    assert "ValueError: odd" in second["traceback"]


def test_the_level_of_others_is_given_back(tmp_path):
    before = logging.getLogger("client").level
    with journal(tmp_path):
        pass
    assert logging.getLogger("client").level == before


def test_it_does_not_fill_a_disk_and_keeps_what_came_last(tmp_path, monkeypatch):
    monkeypatch.setattr("client.journal.LARGEST", 1000)
    with journal(tmp_path):
        for number in range(100):
            KEEPER.info("line %d", number)
    logs = sorted(tmp_path.iterdir())
    assert [path.name for path in logs] == [LOG, f"{LOG}.1"]
    assert all(path.stat().st_size <= 1000 and stat.S_IMODE(path.stat().st_mode) == 0o600 for path in logs)
    assert "line 99" in logs[0].read_text()


@pytest.mark.parametrize(
    "make", [lambda path: path.symlink_to(path.with_name("x")), os.mkfifo, lambda path: path.mkdir()]
)
def test_what_is_no_file_in_its_place_is_named_and_left_alone(tmp_path, make):
    (tmp_path / "x").write_text("speech")
    make(tmp_path / LOG)
    with pytest.raises(UserError, match="cannot write the site's log"), journal(tmp_path):
        pytest.fail("open")
    assert (tmp_path / "x").read_text() == "speech"
