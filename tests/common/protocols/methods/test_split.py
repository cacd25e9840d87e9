"""A corpus's own split: what is trained on and what is tested, and speakers in both."""

from dataclasses import replace

import pytest

from common.errors import UserError
from common.protocols.methods.split import PROTOCOL, Settings, SplitConfig


def cut(corpus, **own):
    (trial,) = PROTOCOL.trials(corpus, Settings(split=SplitConfig(**own)), 0)
    return trial


@pytest.fixture
def corpus(corpus_for):
    """Two sessions to train on, one of the development part, one to test."""
    return corpus_for(PROTOCOL)


@pytest.fixture
def leaky(corpus):
    """The same, but a speaker of the training part speaks in the test too."""
    leaked = corpus.utterances[-1]
    return replace(corpus, utterances=(*corpus.utterances[:-1], replace(leaked, speaker="0a")))


def test_it_is_trained_on_train_and_tested_on_test(corpus):
    trial = cut(corpus)
    assert (trial.name, trial.train.sessions, trial.test.sessions, trial.shared) == ("test", ("0", "1"), ("3",), ())


def test_choices_are_made_on_the_development_part(corpus):
    assert cut(corpus, tested="dev").test.sessions == ("2",)


def test_utterances_of_no_part_are_left_out(corpus):
    without = replace(
        corpus, utterances=tuple(replace(u, split=None) if u.session == "0" else u for u in corpus.utterances)
    )
    assert cut(without).train.sessions == ("1",)


def test_speakers_in_both_parts_are_refused_in_one_line(leaky):
    with pytest.raises(UserError, match=r"speakers in both train and test: 0a; .*split\.shared_speakers") as caught:
        cut(leaky)
    assert "\n" not in str(caught.value)


def test_or_told_where_a_setting_allows_them(leaky):
    assert cut(leaky, shared_speakers="told").shared == ("0a",)
    assert cut(leaky, tested="dev").shared == ()


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        (("train", "dev"), "no utterance of the part test: mine; its split has dev and train"),
        (("test",), "no utterance of the part train: mine; its split has test"),
        ((), "no utterance of the part train: mine; it has none: give its table a column split"),
    ],
)
def test_a_part_that_is_not_there_is_told(corpus, kept, message):
    some = replace(
        corpus, utterances=tuple(replace(u, split=u.split if u.split in kept else None) for u in corpus.utterances)
    )
    with pytest.raises(UserError, match=message):
        cut(some)
