"""One line for one mistake, a line each for several."""

import pickle
from pathlib import Path

import pytest

from common.corpora.audio import AudioError
from common.errors import UserError, UserErrors
from common.wire import Code, WireError


def test_an_error_says_what_and_where_and_what_to_do_in_one_line() -> None:
    error = UserError("no such folder", where="data/emodb", remedy="pass --root")
    assert str(error) == "no such folder: data/emodb; pass --root"


def test_place_and_remedy_may_be_left_out() -> None:
    assert str(UserError("nothing to train")) == "nothing to train"
    assert str(UserError("nothing to train", remedy="name a corpus")) == "nothing to train; name a corpus"


def test_several_mistakes_get_a_line_each_under_their_heading() -> None:
    error = UserErrors("mine.toml: 2 mistakes", ["seed: too small", "colour: no such setting"])
    assert str(error).splitlines() == ["mine.toml: 2 mistakes", "  - seed: too small", "  - colour: no such setting"]
    assert error.problems == ("seed: too small", "colour: no such setting")


def test_several_mistakes_are_caught_as_one() -> None:
    assert issubclass(UserErrors, UserError)


@pytest.mark.parametrize(
    "error",
    [
        UserError("a", where="b", remedy="c"),
        UserErrors("two", ["x", "y"]),
        AudioError("empty", Path("a.wav")),
        WireError(Code.TRUNCATED, where="generator.w"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_another_process_reads_as_it_did_there(error: UserError) -> None:
    arrived = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(arrived), str(arrived), vars(arrived)) == (type(error), str(error), vars(error))
