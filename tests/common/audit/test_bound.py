"""The bound of one run is the paper's, and no mechanism that keeps its epsilon passes it too often."""

import math
from itertools import combinations

import numpy as np
import pytest

from common.audit.bound import chance_of, epsilon_at_least
from common.errors import UserError


def binomial(count, least, share):
    """P[Binomial(count, share) >= least], a term at a time."""
    terms = (math.comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(max(least, 0), count + 1))
    return math.fsum(terms)


def chance_of_the_paper(right, guesses, coins, epsilon, delta):
    """Theorem 5.2 letter by letter: f(v) + 2 m delta max_i (f(v - i) - f(v)) / i."""
    share = math.exp(epsilon) / (1 + math.exp(epsilon))
    above = binomial(guesses, right, share)
    moved = [(binomial(guesses, right - i, share) - above) / i for i in range(1, right + 1)]
    return min(1.0, above + 2 * coins * delta * max([0.0, *moved]))


@pytest.mark.parametrize("epsilon", [0.0, 0.5, 1.0, 3.0, 8.0])
@pytest.mark.parametrize("delta", [0.0, 1e-5, 1e-2])
@pytest.mark.parametrize(("right", "guesses", "coins"), [(0, 5, 9), (5, 5, 5), (7, 10, 40), (88, 100, 544)])
def test_the_chance_is_that_of_a_direct_computation(right, guesses, coins, epsilon, delta):
    wanted = chance_of_the_paper(right, guesses, coins, epsilon, delta)
    assert chance_of(right, guesses, coins, epsilon, delta) == pytest.approx(wanted, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize(("right", "guesses"), [(10, 10), (70, 100), (272, 272), (200, 272)])
@pytest.mark.parametrize("delta", [0.0, 1e-5])
def test_at_the_bound_the_chance_is_one_in_twenty(right, guesses, delta):
    bound = epsilon_at_least(right, guesses, 544, delta=delta)
    assert bound > 0
    assert chance_of_the_paper(right, guesses, 544, bound, delta) == pytest.approx(0.05, abs=1e-6)


def test_of_all_right_it_has_a_closed_form():
    share = 0.05 ** (1 / 50)
    assert epsilon_at_least(50, 50, 50) == pytest.approx(math.log(share / (1 - share)), abs=1e-6)


def test_guesses_no_better_than_chance_bound_nothing():
    assert epsilon_at_least(50, 100, 100) == 0
    assert epsilon_at_least(0, 100, 100) == 0


def test_more_right_is_a_larger_bound_and_delta_a_smaller_one():
    assert epsilon_at_least(60, 100, 100) < epsilon_at_least(80, 100, 100) < epsilon_at_least(100, 100, 100)
    assert epsilon_at_least(80, 100, 100, delta=1e-3) < epsilon_at_least(80, 100, 100)


def test_randomized_response_is_accused_of_more_than_its_epsilon_once_in_twenty_at_most():
    epsilon, stream = 1.0, np.random.default_rng(0)
    share = math.exp(epsilon) / (1 + math.exp(epsilon))
    bounds = np.array([epsilon_at_least(int(right), 200, 200) for right in stream.binomial(200, share, size=300)])
    assert (bounds > epsilon).mean() < 0.08
    assert np.median(bounds) > 0.6  # and is not let off either


@pytest.mark.parametrize(
    "wrong", [(3, 2, 9, 1.0, 0.0), (-1, 2, 9, 1.0, 0.0), (1, 2, 1, 1.0, 0.0), (1, 2, 9, -1.0, 0.0)]
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(UserError):
        chance_of(*wrong)


def test_the_direct_computation_is_itself_checked_by_counting():
    """All outcomes of five guesses, each right with three in four."""
    outcomes = sum(0.75**k * 0.25 ** (5 - k) * len(list(combinations(range(5), k))) for k in (4, 5))
    assert binomial(5, 4, 0.75) == pytest.approx(outcomes)
