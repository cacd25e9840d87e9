"""Does the interval hold the truth as often as it says, and say what was drawn?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from common.scoring import METRICS, Confusion, Score, bootstrap

PAIR = ("sad", "happy")


def test_twenty_speakers_give_an_interval_that_holds_the_truth_about_as_often_as_it_says(speakers):
    stream = np.random.default_rng(3)
    many = speakers(stream, 2000)
    truth = sum(many[1:], start=many[0]).macro_f1
    scores = [bootstrap(speakers(stream, 20), seed=trial, resamples=500) for trial in range(100)]
    held = sum(score.low <= truth <= score.high for score in scores)
    assert 87 <= held <= 99


def test_drawing_utterances_of_differing_speakers_would_promise_too_much(speakers):
    cast = speakers(np.random.default_rng(4), 20, spread=0.2)
    by_speaker = bootstrap(cast, seed=0)
    by_utterance = bootstrap([sum(cast[1:], start=cast[0])], seed=0)
    assert by_speaker.value == by_utterance.value
    assert by_speaker.high - by_speaker.low > 1.3 * (by_utterance.high - by_utterance.low)


def test_one_speaker_alone_is_drawn_by_utterance_and_the_score_says_so():
    score = bootstrap([Confusion(PAIR, [[30, 10], [10, 30]])], "accuracy", seed=0)
    assert score.unit == "utterance"
    deviation = np.sqrt(0.75 * 0.25 / 80)
    assert (score.value, score.n) == (0.75, 80)
    assert score.low == pytest.approx(0.75 - 1.96 * deviation, abs=0.02)
    assert score.high == pytest.approx(0.75 + 1.96 * deviation, abs=0.02)


def test_speakers_that_are_all_alike_leave_nothing_to_draw():
    score = bootstrap([Confusion(PAIR, [[3, 1], [1, 3]])] * 6, "uar", seed=0)
    assert score == Score(0.75, 0.75, 0.75, n=48, unit="speaker")


@given(st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4).filter(any), min_size=1, max_size=5))
def test_an_interval_holds_its_value_and_stays_in_bounds(speakers):
    clusters = [Confusion(PAIR, np.reshape(counts, (2, 2))) for counts in speakers]
    for metric in METRICS:
        score = bootstrap(clusters, metric, seed=1, resamples=50)
        assert 0 <= score.low <= score.value <= score.high <= 1


def test_the_same_seed_gives_the_same_interval_and_another_a_slightly_different_one(speakers):
    cast = speakers(np.random.default_rng(5), 10)
    first, again, other = (bootstrap(cast, seed=seed) for seed in (7, 7, 8))
    assert first == again
    assert first != other
    assert other.low == pytest.approx(first.low, abs=0.01)
    assert other.high == pytest.approx(first.high, abs=0.01)


def test_nobody_to_score_is_an_error():
    with pytest.raises(UserError, match="no speaker"):
        bootstrap([], seed=0)
