"""The site's own log holds what nobody else is told."""

import logging
import stat

import pytest

from client.journal import LOG, journal

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


def test_the_level_of_others_is_given_back(tmp_path):
    before = logging.getLogger("client").level
    with journal(tmp_path):
        pass
    assert logging.getLogger("client").level == before
