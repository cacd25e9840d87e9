"""A part of the real speech, each larger part holding the smaller ones of its draw."""

import pytest

from common.errors import UserError
from common.protocols.drawing import counts
from common.protocols.methods.low_resource import PROTOCOL, LowResourceConfig, Settings


def cut(corpus, seed=0, **own):
    return PROTOCOL.trials(corpus, Settings(low_resource=LowResourceConfig(**own)), seed)


def test_parts_of_one_draw_are_nested_and_keep_every_emotion_alike(corpus_of):
    trials = cut(corpus_of(3, each=(10, 5, 5)), percent=(10, 50, 100), samples=(0,), draws=1)
    small, half, whole = (trial for trial in trials if trial.name == "0")
    assert [counts(trial.train) for trial in (small, half, whole)] == [
        {"neutral": 4, "angry": 2, "sad": 2},
        {"neutral": 20, "angry": 10, "sad": 10},
        {"neutral": 40, "angry": 20, "sad": 20},
    ]
    assert {*small.train.utterances} < {*half.train.utterances} < {*whole.train.utterances}


def test_another_draw_is_another_part(corpus_of):
    first, second = (t.train for t in cut(corpus_of(3), percent=(25,), samples=(0,), draws=2) if t.name == "0")
    assert first != second


@pytest.mark.parametrize("heard", ["all", "same"])
def test_the_synthesizer_has_heard_all_or_the_same_part(corpus_of, heard):
    corpus = corpus_of(3)
    for trial in cut(corpus, percent=(25,), samples=(0,), heard=heard):
        rest = corpus.where(lambda u, trial=trial: u.speaker not in trial.test.speakers)
        assert trial.fitted == (rest if heard == "all" else trial.train)


def test_samples_are_spread_evenly(corpus_of):
    (trial, *_) = cut(corpus_of(3), percent=(25,), samples=(600,), draws=1)
    assert trial.filling.samples == {"neutral": 200, "angry": 200, "sad": 200}
    assert trial.arm == "25 % + 600"


def test_a_part_that_leaves_an_emotion_empty_is_told_with_its_remedy(corpus_of):
    with pytest.raises(UserError, match=r"fold 0: 10 % leaves no utterance of angry \(4 before\): .*; raise the least"):
        cut(corpus_of(3, each=(10, 1, 10)), percent=(10,))
    assert cut(corpus_of(3, each=(10, 1, 10)), percent=(25,))
