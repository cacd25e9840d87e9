"""Closed forms for Gaussians; and samples that are good, collapsed, shifted and copied."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from common.errors import UserError
from common.scoring.discrepancy import WIDTHS, discrepancy
from common.scoring.labelled import Labelled


def gaussian(seed, n=400, d=20, shift=0.0, scale=1.0):
    return Labelled(shift + scale * np.random.default_rng(seed).normal(size=(n, d)), np.arange(n) % 4)


def expected_kernel(variance, apart=0.0):
    """Mean of the kernel where the difference of two points is Gaussian."""
    squares = np.square(WIDTHS)
    return np.sum(np.sqrt(squares / (squares + variance)) * np.exp(-(apart**2) / 2 / (squares + variance)))


def by_definition(one, other):
    """The three terms of the paper, pair by pair."""

    def mean(first, second):
        return np.mean([sum(np.exp(-((a - b) ** 2) / (2 * s**2)) for s in WIDTHS) for a in first for b in second])

    columns = zip(one.values.T, other.values.T, strict=True)
    return np.mean([mean(a, a) + mean(b, b) - 2 * mean(a, b) for a, b in columns])


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.5, 30.0])
def test_the_biased_estimate_is_the_papers_triple_sum_however_far_the_values_reach(scale):
    one, other = gaussian(0, n=9, d=3, scale=scale), gaussian(1, n=7, d=3, scale=scale, shift=0.5)
    assert discrepancy(one, other, seed=0).biased == pytest.approx(by_definition(one, other), rel=1e-5)


def test_the_unbiased_estimate_of_shifted_and_of_narrowed_gaussians_is_the_closed_form():
    for shift, scale in ((0.5, 1.0), (0.0, 0.5)):
        found = discrepancy(gaussian(0, d=60), gaussian(1, d=60, shift=shift, scale=scale), seed=0)
        within = expected_kernel(2.0) + expected_kernel(2 * scale**2)
        expected = within - 2 * expected_kernel(1 + scale**2, apart=shift)
        assert found.unbiased == pytest.approx(expected, rel=0.06)


def test_two_samples_of_one_law_show_the_bias_of_theory_and_the_floor_says_so():
    expected = (len(WIDTHS) - expected_kernel(2.0)) * (1 / 480 + 1 / 480)
    found = discrepancy(gaussian(0, n=480, d=60), gaussian(1, n=480, d=60), seed=0)
    assert found.biased == pytest.approx(expected, rel=0.1)
    assert found.floor == pytest.approx(expected, rel=0.1)
    assert found.over_floor == pytest.approx(1, abs=0.1)
    assert abs(found.unbiased) < 0.1 * found.biased


def test_neither_the_whole_space_at_once_nor_a_turned_sign_gives_the_papers_floor():
    """A control: 0.0055 at 480 vectors is that of single features with two terms added and one taken off."""
    one, other = gaussian(0, n=480, d=60), gaussian(1, n=480, d=60)
    floor = discrepancy(one, other, seed=0).floor
    assert floor == pytest.approx(0.0055, rel=0.1)

    def kernel(first, second):
        apart = cdist(first, second, "sqeuclidean")
        return np.mean([np.exp(-apart / (2 * width**2)).mean() for width in WIDTHS]) * len(WIDTHS)

    both = kernel(one.values, one.values) + kernel(other.values, other.values)
    assert both - 2 * kernel(one.values, other.values) > 2 * floor
    assert both + 2 * kernel(one.values, other.values) > 100 * floor


def test_fewer_samples_raise_the_biased_estimate_and_its_floor_alike():
    many, few = (discrepancy(gaussian(0, d=60), gaussian(1, n=n, d=60), seed=0) for n in (400, 100))
    assert few.biased > 2 * many.biased
    assert few.over_floor == pytest.approx(many.over_floor, abs=0.15)


def test_samples_that_are_shifted_or_collapsed_stand_far_above_the_floor():
    real = gaussian(0)
    shifted, collapsed = gaussian(1, shift=0.5), gaussian(1, scale=1e-3)
    assert discrepancy(real, shifted, seed=0).over_floor > 5
    assert discrepancy(real, collapsed, seed=0).over_floor > 100
    assert discrepancy(real, collapsed, seed=0).unbiased > 1


def test_copies_are_praised_for_it_tells_nothing_of_memory():
    real = gaussian(0)
    copied = discrepancy(real, real, seed=0)
    assert copied.biased == pytest.approx(0, abs=1e-6)
    assert copied.unbiased < 0


def test_too_few_vectors_and_other_features_are_refused():
    with pytest.raises(UserError, match="3 real and 400 made vectors"):
        discrepancy(gaussian(0, n=3), gaussian(1), seed=0)
    with pytest.raises(UserError, match="differ in their number of features"):
        discrepancy(gaussian(0), gaussian(1, d=3), seed=0)
