"""Skewed sessions keep what the draw says, alike for the same seed, and never a whole session less."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.corpora.manifest import Manifest, Utterance
from common.corpora.skew import as_set, skewed, warn_of_skew
from common.errors import UserError

LABELS = ("neutral", "angry", "sad", "happy")


def corpus_of(*sessions, each=12):
    utterances = [
        Utterance(f"{session}-{emotion}-{number}.wav", f"{session}{number % 2}", session, 2.0, emotion)
        for session in sessions
        for emotion in LABELS
        for number in range(each)
    ]
    return Manifest("table", Path("speech"), LABELS, tuple(utterances))


def counts(manifest):
    return {
        session: Counter(u.emotion for u in manifest.utterances if u.session == session)
        for session in manifest.sessions
    }


@given(seed=st.integers(0, 2**31), concentration=st.floats(0.05, 100))
def test_every_session_keeps_one_emotion_whole_and_the_others_at_most_whole(seed, concentration):
    kept = counts(skewed(corpus_of("a", "b"), concentration, seed))
    assert sorted(kept) == ["a", "b"]
    assert all(max(one.values()) == 12 for one in kept.values())


def test_the_same_seed_keeps_the_same_whatever_other_sessions_there_are():
    alone, beside = skewed(corpus_of("a"), 0.3, 7), skewed(corpus_of("a", "b"), 0.3, 7)
    assert alone.utterances == beside.where(lambda u: u.session == "a").utterances
    assert skewed(corpus_of("a"), 0.3, 8).utterances != alone.utterances


def test_the_smaller_the_concentration_the_more_is_missing():
    corpus = corpus_of(*map(str, range(20)))
    sizes = [len(skewed(corpus, concentration, 0)) for concentration in (1e6, 1.0, 0.1)]
    assert sizes[0] > 0.99 * len(corpus) > sizes[1] > sizes[2]
    assert any(len(one) < len(LABELS) for one in counts(skewed(corpus, 0.1, 0)).values())


def test_an_emotion_that_a_session_lacks_is_not_the_one_that_it_keeps_whole():
    corpus = corpus_of("a").where(lambda u: u.emotion == "sad")
    for seed in range(20):
        assert counts(skewed(corpus, 0.1, seed))["a"] == {"sad": 12}


@pytest.mark.parametrize("concentration", [0.0, -1.0, float("nan")])
def test_a_concentration_that_is_none_is_refused(concentration):
    with pytest.raises(UserError, match="above 0"):
        skewed(corpus_of("a"), concentration, 0)


def test_settings_without_a_skew_keep_the_corpus_as_it_is():
    corpus = corpus_of("a", "b")
    assert as_set(corpus, "none", 3) is corpus
    assert as_set(corpus, 0.3, 3) == skewed(corpus, 0.3, 3) != corpus


def test_whoever_would_normalise_skewed_sessions_by_themselves_is_warned_of_each():
    even = {"a": (5, 4, 6, 5), "b": (1, 1, 1, 1)}
    assert warn_of_skew(even) is None
    assert warn_of_skew(even | {"c": (9, 1, 1, 1), "d": (9, 2, 3, 4)}).startswith("c holds mostly one emotion: ")
    told = warn_of_skew({"c": (9, 0, 1, 1), "d": (True, False, True, True), "e": (50, 1, 1, 1)} | even)
    assert told.startswith("c, d hold not every emotion and e holds mostly one emotion: normalising each session")
