"""A name goes to the client whose key it belongs to; where nobody knows the keys, a name that two give is nobody's."""

import pytest

from common.errors import UserError
from server.roster import HOLDERS, Claim, given_names, read_holders, write_holders

KEYS = {"one": "A", "two": "B", "three": "C"}


def named(holders, **claims):
    """Who is given what, who is refused, and who is told, of clients that say to be these."""
    roster = given_names([Claim(client, session) for client, session in claims.items()], holders)
    told = sorted((claim.client, claim.session) for claim in roster.disputed)
    return dict(roster.clients), {claim.client: claim.reason for claim in roster.refused}, told


class TestWithoutKeys:
    """Nobody has said who is who."""

    def test_each_has_the_name_that_it_gives(self):
        assert named(None, one="A", two="B") == ({"A": "one", "B": "two"}, {}, [])

    def test_a_name_that_two_give_is_nobodys_and_both_are_told(self):
        clients, refused, told = named(None, one="A", two="B", three="B")
        assert clients == {"A": "one"}
        assert refused == {
            "two": f"it says to be B, and so does three: say in {HOLDERS} who it is",
            "three": f"it says to be B, and so does two: say in {HOLDERS} who it is",
        }
        assert told == [("three", "B"), ("two", "B")]


class TestWithKeys:
    """The operator has said whose key is for which session."""

    def test_a_name_that_is_anothers_is_refused_and_both_are_told(self):
        clients, refused, told = named(KEYS, three="B", one="A", two="B")
        assert clients == {"A": "one", "B": "two"}
        assert refused == {"three": "it says to be B, and its key is that of C"}
        assert told == [("three", "B"), ("two", "B")]

    def test_a_name_is_kept_for_its_owner_who_is_not_there(self):
        clients, refused, told = named(KEYS, three="B", one="A")
        assert clients == {"A": "one"}
        assert list(refused) == ["three"]
        assert told == [("three", "B")]

    def test_whoever_is_not_known_is_given_no_name(self):
        clients, refused, told = named(KEYS, one="A", four="D")
        assert clients == {"A": "one"}
        assert refused == {"four": "it says to be D, and its key is that of no site that is known"}
        assert told == [("four", "D")]

    def test_a_session_of_two_keys_is_nobodys_until_one_is_struck_off(self):
        clients, refused, _ = named(KEYS | {"four": "B"}, one="A", two="B", four="B")
        assert clients == {"A": "one"}
        assert sorted(refused) == ["four", "two"]
        assert named(KEYS | {"four": "B"}, one="A", two="B")[0] == {"A": "one", "B": "two"}


class TestTheFile:
    """Where it is written down."""

    def test_it_is_read_as_it_was_written(self, tmp_path):
        assert read_holders(tmp_path) is None
        write_holders(tmp_path, {"two": "B", "one": "A"})
        assert read_holders(tmp_path) == {"one": "A", "two": "B"}

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"one": 3}', '{"one": ["A"]}', "null"])
    def test_one_that_cannot_be_read_lets_nobody_in(self, tmp_path, text):
        (tmp_path / HOLDERS).write_text(text)
        with pytest.raises(UserError, match="cannot read which client holds which session") as caught:
            read_holders(tmp_path)
        assert str(tmp_path / HOLDERS) in str(caught.value)
