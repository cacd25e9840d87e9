"""Whose key is for which session is kept as it was first written, and told of named keys alone."""

import pytest

from common.errors import UserError
from simulations.deployment.registry import Node
from simulations.deployment.sessions import holders_of, keep_session, read_sessions

NODES = (Node("11", "clinic", "online"), Node("12", "site1", "offline"), Node("13", "", "online"))


def test_what_is_written_stays(tmp_path):
    path = tmp_path / "sessions.json"
    assert read_sessions(path) == {}
    keep_session(path, "site1", "03+08")
    keep_session(path, "clinic", "ward-7")
    keep_session(path, "site1", "10+09")
    assert read_sessions(path) == {"clinic": "ward-7", "site1": "03+08"}


def test_a_key_is_for_the_session_that_is_written_or_for_one_of_its_sites_own_name():
    assert holders_of(NODES, {"site1": "03+08"}) == {"11": "clinic", "12": "03+08"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"clinic": 1}'])
def test_what_cannot_be_read_is_a_clear_line_and_is_not_written_over(tmp_path, text):
    path = tmp_path / "sessions.json"
    path.write_text(text)
    with pytest.raises(UserError, match="cannot read which session each site is for"):
        keep_session(path, "clinic", "clinic")
    assert path.read_text() == text
