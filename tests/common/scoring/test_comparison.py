"""Both signs of every verdict: modes that are alike, and modes that are not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import norm, permutation_test

from common.errors import UserError
from common.scoring import compare, gap_closed, share_of, sign_flip_p_value


def test_a_mode_is_not_different_from_itself(outcome):
    mode = outcome(0.6)
    comparison = compare(mode, mode, seed=0)
    assert (comparison.difference.value, comparison.difference.low, comparison.difference.high) == (0, 0, 0)
    assert comparison.p_value == 1
    assert not comparison.different


def test_a_clearly_better_mode_is_different_and_its_mirror_image_too(outcome):
    better, worse = outcome(0.75, mode=1), outcome(0.5, mode=2)
    for metric in ("macro_f1", "uar", "accuracy"):
        up, down = compare(better, worse, metric, seed=0), compare(worse, better, metric, seed=0)
        assert up.different
        assert down.different
        assert up.difference.low > 0.1
        assert down.difference.value == -up.difference.value
        assert up.p_value == down.p_value
        assert up.pairs == 15


def test_equal_skill_is_seldom_called_different(outcome):
    alarms = sum(
        compare(outcome(0.6, mode=1, world=w), outcome(0.6, mode=2, world=w), seed=w).different for w in range(12)
    )
    assert alarms <= 2


def test_one_seed_of_five_folds_cannot_show_a_difference(outcome):
    comparison = compare(outcome(0.9, mode=1, seeds=1), outcome(0.4, mode=2, seeds=1), seed=0)
    assert comparison.p_value == 2 / 2**5
    assert not comparison.different


def test_pairing_narrows_the_interval_of_a_difference(outcome):
    first, second = outcome(0.7, mode=1, luck=0.0), outcome(0.6, mode=2, luck=0.0)
    paired = (first.resampled("uar", seed=0) - second.resampled("uar", seed=0)).std()
    unpaired = (first.resampled("uar", seed=0) - second.resampled("uar", seed=1)).std()
    assert paired < 0.9 * unpaired


@given(st.lists(st.integers(-100, 100), min_size=2, max_size=8))
@example([0, 46, 61, 94, 0, -50, -58, -94])
def test_the_exact_p_value_equals_scipys(parts):
    differences = np.array(parts) / 128  # which sums without rounding: scipy takes rounded ties for none
    expected = permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue
    assert sign_flip_p_value(differences, seed=0) == pytest.approx(expected, abs=1e-9)


def test_many_pairs_are_drawn_and_the_p_value_is_near_the_normal_one_and_never_zero():
    stream = np.random.default_rng(0)
    shifted = stream.normal(0.2, 1, size=100)
    z = shifted.mean() / np.sqrt((shifted**2).mean() / 100)
    assert sign_flip_p_value(shifted, seed=0) == pytest.approx(2 * norm.sf(abs(z)), abs=0.01)
    assert 0 < sign_flip_p_value(np.ones(100), seed=0) < 1e-4


def test_gap_closed_is_nothing_at_the_floor_all_at_the_real_and_half_between(outcome):
    floor, half, real = outcome(0.3, mode=1), outcome(0.5, mode=2), outcome(0.7, mode=3)
    at_floor, at_real = (gap_closed(mode, floor, real, seed=0) for mode in (floor, real))
    assert at_floor is not None
    assert at_real is not None
    assert (at_floor.value, at_floor.low, at_floor.high) == (0, 0, 0)
    assert (at_real.value, at_real.low, at_real.high) == (1, 1, 1)
    between = gap_closed(half, floor, real, seed=0)
    assert between is not None
    assert between.low < 0.5 < between.high
    assert between.low > 0.3
    assert between.high < 0.8


def test_a_gap_that_may_not_be_there_has_no_share(outcome):
    level, also_level = outcome(0.5, mode=1), outcome(0.5, mode=2)
    assert gap_closed(outcome(0.6, mode=3), level, also_level, seed=0) is None


def test_a_mode_has_all_of_its_own_score_and_half_of_one_twice_as_good(outcome):
    half, whole = outcome(0.4, mode=1), outcome(0.8, mode=2)
    itself = share_of(whole, whole, seed=0)
    assert (itself.value, itself.low, itself.high) == (1, 1, 1)
    found = share_of(half, whole, seed=0)
    assert found.value == half.values("macro_f1").mean() / whole.values("macro_f1").mean()
    assert found.low < found.value < found.high < 0.8


def test_modes_of_other_seeds_or_utterances_are_not_compared(outcome):
    mode = outcome(0.5)
    with pytest.raises(UserError, match=r"differ in seeds .*: 0, 1, 2 against 0, 1"):
        compare(mode, outcome(0.5, seeds=2), seed=0)
    longer = replace(mode, counts=mode.counts + 1)
    with pytest.raises(UserError, match="different utterances"):
        compare(mode, longer, seed=0)
