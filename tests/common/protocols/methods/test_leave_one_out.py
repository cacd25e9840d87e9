"""Leaving out one session or one speaker."""

import pytest

from common.errors import UserError
from common.protocols import protocol


def test_a_speaker_is_left_out_and_their_partner_is_trained_on(corpus_of):
    one = protocol("leave-one-speaker-out")
    first = one.trials(corpus_of(3), one.Settings(), 0)[0]
    assert (first.name, first.test.speakers) == ("0a", ("0a",))
    assert "0b" in first.train.speakers
    assert one.cuts is None


def test_a_session_is_left_out_whole(corpus_of):
    one = protocol("leave-one-session-out")
    trials = one.trials(corpus_of(3), one.Settings(), 0)
    assert [trial.test.sessions for trial in trials] == [("0",), ("1",), ("2",)]
    assert all(trial.filling is None and trial.fitted == trial.train for trial in trials)


def test_a_held_out_session_is_scored_and_the_test_session_of_its_fold_is_not_touched(corpus_of):
    one = protocol("held-out-session")
    trials = one.trials(corpus_of(4), one.Settings(), 0)
    assert [trial.name for trial in trials] == ["1 for 0", "2 for 1", "3 for 2", "0 for 3"]
    for left, trial in zip("0123", trials, strict=True):
        assert left not in {*trial.train.sessions, *trial.test.sessions}
        assert not {*trial.train.sessions} & {*trial.test.sessions}
        assert len({*trial.train.sessions}) == 2


def test_two_sessions_are_too_few_to_hold_one_out(corpus_of):
    one = protocol("held-out-session")
    with pytest.raises(UserError, match="only 2 folds"):
        one.trials(corpus_of(2), one.Settings(), 0)
