"""Means by hand, deviations by name, and an interval that speaks of speakers and of training both."""

import numpy as np
import pytest

from common.errors import UserError
from common.scoring import Confusion, Outcome
from common.scoring.intervals import score_of

PAIR = ("sad", "happy")


def share(right: int) -> Confusion:
    """Ten utterances of which so many are right."""
    return Confusion(PAIR, [[right, 10 - right], [0, 0]])


@pytest.fixture
def by_hand() -> Outcome:
    cells = {
        (0, "1", "ann"): share(10),
        (0, "1", "bob"): share(8),
        (0, "2", "cyd"): share(5),
        (1, "1", "ann"): share(8),
        (1, "1", "bob"): share(6),
        (1, "2", "cyd"): share(3),
    }
    return Outcome.of(cells)


def test_a_fold_is_scored_whole_and_folds_are_averaged(by_hand):
    np.testing.assert_allclose(by_hand.values("accuracy"), [[0.9, 0.5], [0.7, 0.3]])
    assert by_hand.summary("accuracy", seed=0).mean == pytest.approx(0.6)


def test_folds_that_hold_unlike_emotions_are_averaged_over_what_each_holds_and_pooled_over_all():
    """The first fold holds two emotions and gets both right, the other holds the third alone and misses it."""
    three = ("sad", "happy", "angry")
    outcome = Outcome.of(
        {
            (0, "1", "ann"): Confusion(three, [[5, 0, 0], [0, 5, 0], [0, 0, 0]]),
            (0, "2", "bob"): Confusion(three, [[0, 0, 0], [0, 0, 0], [5, 0, 0]]),
        }
    )
    assert outcome.values("macro_f1").tolist() == outcome.values("uar").tolist() == [[1, 0]]
    assert outcome.pooled("uar") == pytest.approx(2 / 3)
    assert outcome.pooled("macro_f1") == pytest.approx((2 / 3 + 1 + 0) / 3)


def test_deviations_are_sample_deviations_of_seed_means_and_of_fold_means(by_hand):
    summary = by_hand.summary("accuracy", seed=0)
    assert summary.std_over_folds == pytest.approx(np.std([0.8, 0.4], ddof=1))
    assert summary.std_over_seeds == pytest.approx(np.std([0.7, 0.5], ddof=1))
    assert (summary.folds, summary.seeds, summary.n) == (2, 2, 30)


def test_one_seed_has_no_deviation_over_seeds(outcome):
    assert outcome(0.7, seeds=1).summary(seed=0).std_over_seeds is None


def test_the_order_in_which_cells_arrive_changes_nothing(outcome):
    drawn = outcome(0.6)
    places = list(zip(drawn.folds, drawn.speakers, strict=True))
    cells = {
        (seed, *place): Confusion(drawn.labels, drawn.counts[k, s])
        for k, seed in enumerate(drawn.seeds)
        for s, place in enumerate(places)
    }
    turned = Outcome.of(dict(reversed(cells.items())))
    assert turned.summary(seed=3) == drawn.summary(seed=3)


def test_the_interval_holds_the_truth_about_as_often_as_it_says(outcome):
    truth = np.mean([outcome(0.7, world=1000 + i, seeds=1).values("macro_f1").mean() for i in range(200)])
    drawn = [outcome(0.7, world=i) for i in range(80)]
    values = [o.values("macro_f1").mean() for o in drawn]
    resampled = [o.resampled("macro_f1", seed=i, resamples=400) for i, o in enumerate(drawn)]
    scores = [score_of(float(value), draws, n=340) for value, draws in zip(values, resampled, strict=True)]
    held = sum(score.low <= truth <= score.high for score in scores)
    assert 66 <= held <= 80


def test_luck_of_training_widens_the_interval_of_speakers_that_are_all_alike():
    steady = {(seed, str(fold), f"{fold}"): share(7) for seed in range(3) for fold in range(5)}
    lucky = {place: share(7 + (place[0] - 1) * 3) for place in steady}
    narrow, wide = (Outcome.of(cells).summary("accuracy", seed=0) for cells in (steady, lucky))
    assert narrow.high - narrow.low == pytest.approx(0)
    assert wide.high - wide.low > 0.1


def test_a_missing_score_is_named():
    cells = {(seed, fold, fold): share(5) for seed in (0, 1) for fold in ("1", "2")}
    del cells[1, "2", "2"]
    with pytest.raises(UserError, match="1 of 4 scores are missing: first seed 1, fold 2, speaker 2"):
        Outcome.of(cells)


def test_a_speaker_tested_in_two_folds_is_refused():
    with pytest.raises(UserError, match="more than one fold: ann"):
        Outcome.of({(0, "1", "ann"): share(5), (0, "2", "ann"): share(5)})


def test_one_speaker_makes_no_outcome():
    with pytest.raises(UserError, match="two or more"):
        Outcome.of({(0, "1", "ann"): share(5)})


def test_label_orders_are_not_mixed():
    turned = Confusion(("happy", "sad"), [[1, 0], [0, 1]])
    with pytest.raises(UserError, match="different label orders"):
        Outcome.of({(0, "1", "ann"): share(5), (0, "2", "bob"): turned})
