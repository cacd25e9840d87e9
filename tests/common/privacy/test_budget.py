"""A life's budget: it fills up, it refuses, it never grows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from common.privacy.accountant import signal_for
from common.privacy.budget import Budget, Spent

DELTA = 1e-5


def test_a_release_within_the_limit_is_charged_and_one_beyond_it_refused_and_leaves_the_budget_as_it_was():
    budget = Budget(8.0, DELTA).charged(signal_for(4.0, DELTA))
    with pytest.raises(Spent, match=r"from 4 to 9\.42 of 8; ask with more noise"):
        budget.charged(signal_for(8.0, DELTA))
    assert budget.spent == pytest.approx(4)
    assert budget.charged(signal_for(2.0, DELTA)).spent < 8


def test_all_of_a_budget_may_be_spent_at_once_and_then_nothing_more():
    full = Budget(8.0, DELTA).charged(signal_for(8.0, DELTA))
    assert full.spent == pytest.approx(8)
    with pytest.raises(Spent):
        full.charged(0.05)


@given(st.lists(st.floats(0.01, 2), min_size=1, max_size=20))
def test_whatever_is_asked_the_limit_holds_and_what_is_spent_never_falls(signals):
    budget = Budget(4.0, DELTA)
    for signal in signals:
        try:
            after = budget.charged(signal)
        except Spent:
            continue
        assert budget.spent <= after.spent <= 4 * (1 + 1e-6)
        budget = after


@given(st.permutations([0.1, 0.4, 0.7, 0.2]))
def test_the_order_of_releases_is_the_same_to_a_budget(signals):
    budget = Budget(8.0, DELTA)
    for signal in signals:
        budget = budget.charged(signal)
    assert budget.spent == pytest.approx(Budget(8.0, DELTA, signal=0.7**0.5).spent)


@pytest.mark.parametrize("signal", [0.0, -1.0, float("inf"), float("nan")])
def test_a_mechanism_without_noise_is_never_charged(signal):
    with pytest.raises(UserError, match="cannot be charged"):
        Budget(8.0, DELTA).charged(signal)


def test_a_budget_without_meaning_is_refused():
    for epsilon, delta, signal, complaint in (
        (0.0, DELTA, 0.0, "no epsilon"),
        (float("inf"), DELTA, 0.0, "no epsilon"),
        (8.0, 0.0, 0.0, "delta"),
        (8.0, DELTA, -1.0, "cannot have spent"),
        (8.0, DELTA, float("nan"), "cannot have spent"),
    ):
        with pytest.raises(UserError, match=complaint):
            Budget(epsilon, delta, signal)
