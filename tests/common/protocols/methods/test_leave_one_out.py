"""Leaving out one session or one speaker."""

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
