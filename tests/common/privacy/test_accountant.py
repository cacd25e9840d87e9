"""Closed forms, the definition itself by integration, and what must grow with what."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from common.errors import UserError
from common.privacy.accountant import check_delta, delta_of, epsilon_of, signal_for, together

SIGNALS = st.floats(0.01, 8)
DELTAS = st.floats(1e-9, 0.1)


def by_definition(epsilon, signal):
    """What one draw may exceed e^epsilon times the other's chance by, added up over all outcomes."""

    def excess(x):
        return max(0.0, norm.pdf(x, signal) - np.exp(epsilon) * norm.pdf(x))

    start = epsilon / signal + signal / 2  # from where on it is above
    return quad(excess, start, start + 40, epsabs=0, epsrel=1e-9, limit=500)[0]


@pytest.mark.parametrize(("epsilon", "signal"), [(0.5, 0.2), (1.0, 0.27), (2.0, 1.0), (8.0, 1.6), (8.0, 3.0)])
def test_delta_is_what_the_definition_adds_up_to(epsilon, signal):
    assert delta_of(epsilon, signal) == pytest.approx(by_definition(epsilon, signal), rel=1e-6)


def test_at_epsilon_zero_the_signal_is_a_closed_form():
    for delta in (1e-3, 0.1, 0.5):
        signal = 2 * norm.ppf((1 + delta) / 2)
        assert delta_of(0.0, signal) == pytest.approx(delta, rel=1e-9)
        assert epsilon_of(signal, delta * 1.001) == 0


def test_noise_for_epsilon_one_is_the_published_figure_and_a_quarter_below_the_classical_one():
    noise = 1 / signal_for(1.0, 1e-5)
    assert noise == pytest.approx(3.7306, rel=1e-4)
    assert noise < 0.78 * np.sqrt(2 * np.log(1.25 / 1e-5))


@given(st.floats(0.01, 20), DELTAS)
def test_noise_and_epsilon_are_each_others_inverse(epsilon, delta):
    assert epsilon_of(signal_for(epsilon, delta), delta) == pytest.approx(epsilon, rel=1e-6, abs=1e-9)


@given(SIGNALS, DELTAS, st.floats(1.01, 2))
def test_more_signal_costs_more_and_a_larger_delta_less(signal, delta, factor):
    epsilon = epsilon_of(signal, delta)
    assert epsilon_of(signal * factor, delta) >= epsilon >= epsilon_of(signal, min(delta * factor, 0.5))


@given(SIGNALS, DELTAS)
def test_the_exact_epsilon_is_below_the_one_that_renyi_divergence_bounds(signal, delta):
    orders = np.concatenate([np.linspace(1.01, 10, 500), np.geomspace(10, 1e5, 500)])
    bound = (orders * signal**2 / 2 + np.log(1 / delta) / (orders - 1)).min()
    assert epsilon_of(signal, delta) <= bound * (1 + 1e-9)


def test_four_mechanisms_are_one_of_twice_the_signal_and_cheaper_than_their_epsilons_added():
    one = signal_for(1.0, 1e-5)
    assert together(one, one, one, one) == pytest.approx(2 * one)
    assert 1 < epsilon_of(together(one, one, one, one), 1e-5) < 4 * 0.6


def test_what_two_draws_tell_together_is_what_the_one_mechanism_tells():
    """The law of the log-likelihood ratio of both draws is that of one with the joint signal."""
    stream = np.random.default_rng(0)
    first, second = 0.8, 0.6
    draws = stream.normal(np.array([first, second]), size=(400_000, 2))
    losses = draws @ [first, second] - (first**2 + second**2) / 2
    delta = np.maximum(0, 1 - np.exp(0.5 - losses)).mean()
    assert delta == pytest.approx(delta_of(0.5, together(first, second)), rel=0.01)


@pytest.mark.parametrize("epsilon", [0.0, -1.0, float("inf"), float("nan"), 101.0])
def test_an_epsilon_that_means_nothing_is_refused(epsilon):
    with pytest.raises(UserError, match="no epsilon that means anything"):
        signal_for(epsilon, 1e-5)


def test_a_delta_beyond_bounds_or_above_one_in_n_is_refused():
    for delta in (0.0, 1.0, float("nan")):
        with pytest.raises(UserError, match="delta lies between 0 and 1"):
            signal_for(1.0, delta)
    with pytest.raises(UserError, match=r"delta 0\.02 is not below one in 68 utterances; choose below 0\.015"):
        check_delta(0.02, 68)
    check_delta(1e-5, 68)
