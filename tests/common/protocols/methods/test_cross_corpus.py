"""One corpus teaches, another tests, in the emotions that both have."""

from dataclasses import replace

import pytest

from common.errors import UserError
from common.protocols.drawing import counts
from common.protocols.methods.cross_corpus import PROTOCOL, CrossCorpusConfig, Settings


def cut(corpus, seed=0, **own):
    return PROTOCOL.trials(corpus, Settings(cross_corpus=CrossCorpusConfig(**own)), seed)


@pytest.fixture
def crossed(corpus_for):
    """A function from what the corpus `there` lacks to a joint corpus of two."""

    def make(*lacking):
        return corpus_for(PROTOCOL).where(lambda u: not (u.session.startswith("there__") and u.emotion in lacking))

    return make


def test_each_corpus_is_tested_by_what_the_other_taught(crossed):
    trials = cut(crossed())
    assert [(trial.name, trial.train.sessions, trial.test.sessions) for trial in trials] == [
        ("here", ("there__2", "there__3"), ("here__0", "here__1")),
        ("there", ("here__0", "here__1"), ("there__2", "there__3")),
    ]
    assert [trial.name for trial in cut(crossed(), test=("there",))] == ["there"]


def test_emotions_of_one_corpus_alone_are_left_out_of_both_sides(crossed):
    for trial in cut(crossed("sad")):
        assert {u.emotion for part in (trial.train, trial.test) for u in part.utterances} == {"neutral", "angry"}


def test_a_test_may_be_made_equal(crossed):
    corpus = crossed()
    fewer = replace(
        corpus, utterances=tuple(u for u in corpus.utterances if u.emotion != "angry" or u.path.endswith("0.wav"))
    )
    assert counts(cut(fewer)[0].test) == {"neutral": 16, "angry": 4, "sad": 16}
    assert {*counts(cut(fewer, equal=True)[0].test).values()} == {4}


@pytest.mark.parametrize(
    ("lacking", "message"),
    [
        (("neutral", "angry", "sad"), "one corpus alone cannot be crossed"),
        (("neutral", "angry"), "only the emotion sad in common: there: sad; here: neutral, angry, sad; choose corpora"),
    ],
)
def test_a_pair_without_common_emotions_is_one_error(crossed, lacking, message):
    with pytest.raises(UserError, match=message):
        cut(crossed(*lacking))


def test_a_pair_without_any_common_emotion_is_told_what_each_has(crossed):
    corpus = crossed("angry", "neutral").where(lambda u: u.session.startswith("there__") or u.emotion != "sad")
    with pytest.raises(UserError, match="no emotion in common: there: sad; here: neutral, angry; choose corpora"):
        cut(corpus)


def test_a_corpus_that_is_not_joined_is_told_how_to(corpus_of):
    with pytest.raises(UserError, match=r'one corpus alone cannot be crossed: .*; set corpus.name to "joint"'):
        cut(corpus_of(3))


def test_an_unknown_corpus_is_told_with_those_that_there_are(crossed):
    with pytest.raises(UserError, match=r"cross_corpus.test = elsewhere; there are here, there"):
        cut(crossed(), test=("elsewhere",))
