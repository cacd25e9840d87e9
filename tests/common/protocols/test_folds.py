"""Folds that no speaker crosses, one for each name or as many as are wanted."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError, UserErrors
from common.protocols import Cut, Trial
from common.protocols.folds import FoldsConfig, cut, trials


@given(sessions=st.integers(2, 6), by=st.sampled_from(["session", "speaker"]), number=st.sampled_from([0, 2]))
def test_every_utterance_is_tested_once_and_no_speaker_is_shared(corpus_of, sessions, by, number):
    corpus = corpus_of(sessions, each=(1, 2, 0))
    cuts = trials(corpus, by, FoldsConfig(number=number))
    assert sorted(u.path for one in cuts for u in one.test.utterances) == sorted(u.path for u in corpus.utterances)
    assert len(cuts) == (number or (sessions if by == "session" else 2 * sessions))
    for one in cuts:
        assert not set(one.train.speakers) & set(one.test.speakers)
        assert len(one.train) + len(one.test) == len(corpus)


def test_a_fold_of_one_session_bears_its_name(corpus_of):
    assert [one.name for one in trials(corpus_of(3), "session", FoldsConfig())] == ["0", "1", "2"]
    assert [one.test.speakers for one in trials(corpus_of(2), "speaker", FoldsConfig())] == [
        ("0a",), ("0b",), ("1a",), ("1b",),
    ]  # fmt: skip


def test_names_of_folds_stay_apart():
    assert cut("abcde", "session", FoldsConfig(number=3)) == (
        Cut("fold-1", ("b", "c", "e"), ("a", "d")),
        Cut("fold-2", ("a", "c", "d"), ("b", "e")),
        Cut("c", ("a", "b", "d", "e"), ("c",)),
    )


def test_every_speaker_in_two_sessions_is_named_at_once(corpus_of):
    corpus = corpus_of(3, each=(1, 0, 0))
    wandering = {"0a": "1", "2b": "1"}
    moved = [
        replace(u, path=f"again/{u.path}", session=wandering[u.speaker])
        for u in corpus.utterances
        if u.speaker in wandering
    ]
    corpus = replace(corpus, utterances=(*corpus.utterances, *moved))
    with pytest.raises(UserErrors, match="give each to one session") as caught:
        trials(corpus, "session", FoldsConfig())
    assert caught.value.problems == ("speaker 0a is in 0 and 1", "speaker 2b is in 1 and 2")
    assert len(trials(corpus, "speaker", FoldsConfig())) == 6


def test_one_session_leaves_nothing_out(corpus_of):
    with pytest.raises(UserError, match=r"only one session: nothing is left out: 0; .*needs two or more"):
        trials(corpus_of(1), "session", FoldsConfig())
    assert len(trials(corpus_of(1), "speaker", FoldsConfig())) == 2


@pytest.mark.parametrize("number", [1, 4])
def test_fewer_sessions_than_folds_are_told_with_the_numbers_that_fit(corpus_of, number):
    with pytest.raises(UserError, match=f"{number} folds? of 3 sessions: folds.number; set folds.number from 2 to 3"):
        trials(corpus_of(3), "session", FoldsConfig(number=number))
    assert len(trials(corpus_of(3), "session", FoldsConfig(number=3))) == 3


class TestTrials:
    """What does not come to be."""

    @pytest.fixture
    def parts(self, corpus_of):
        corpus = corpus_of(3)
        return [corpus.where(lambda u, session=session: u.session == session) for session in corpus.sessions]

    def test_a_speaker_on_both_sides(self, parts, corpus_of):
        with pytest.raises(UserError, match="both sides of a fold: fold York, speaker 0a, 0b"):
            Trial("York", corpus_of(3), parts[0])

    def test_a_synthesizer_that_has_heard_a_speaker_of_the_test(self, parts):
        assert Trial("York", parts[0], parts[1], heard=parts[2]).fitted == parts[2]
        with pytest.raises(UserError, match="both sides of a fold: fold York, speaker 1a, 1b"):
            Trial("York", parts[0], parts[1], heard=parts[1])

    @pytest.mark.parametrize("side", ["train", "test", "heard"])
    def test_an_empty_side(self, parts, side):
        sides = dict(zip(("train", "test", "heard"), parts, strict=True))
        with pytest.raises(UserError, match=f"the {'test' if side == 'test' else 'train'} side of a fold is empty"):
            Trial("York", **(sides | {side: parts[0].where(lambda u: False)}))
