"""What one utterance changes, how much noise hides it, and that moments still mean something."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from common.privacy.accountant import signal_for
from common.privacy.moments import (
    Moments,
    Shares,
    clipped,
    deviations,
    moments,
    noised,
    public_clip,
    signal_of_each,
)

NORM = 2.0
WITH_SQUARES = Shares(counts=0.1, sums=0.5, squares=0.4)


def speech(seed, n=60, d=4, spread=1.0):
    labels = np.arange(n) % 3
    values = spread * np.random.default_rng(seed).normal(size=(n, d)) + labels[:, None]
    return values, labels


def weighted(found):
    """As one vector whose length is that of the whole change: off the diagonal, a number stands for two."""
    return found.counts, found.sums.ravel(), found.squares.ravel()


@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_one_utterance_more_changes_no_question_by_more_than_its_sensitivity(seed, spread):
    values, labels = speech(seed, n=12, spread=spread)
    before = moments(values[1:], labels[1:], 3, NORM, WITH_SQUARES)
    after = moments(values, labels, 3, NORM, WITH_SQUARES)
    changes = [np.linalg.norm(a - b) for a, b in zip(weighted(after), weighted(before), strict=True)]
    assert changes[0] == 1
    assert changes[1] <= NORM * (1 + 1e-9)
    assert changes[2] <= NORM**2 * (1 + 1e-9)


def test_a_long_vector_reaches_the_sensitivity_so_that_it_is_not_stated_too_large():
    values, labels = np.full((1, 4), 1e6), [0]
    found = moments(values, labels, 3, NORM, WITH_SQUARES)
    assert np.linalg.norm(found.sums) == pytest.approx(NORM)
    assert np.linalg.norm(found.squares) == pytest.approx(NORM**2)


def test_questions_together_have_the_signal_that_was_asked_for():
    counts, sums, squares = deviations(0.7, NORM, WITH_SQUARES)
    assert np.hypot.reduce([1 / counts, NORM / sums, NORM**2 / squares]) == pytest.approx(0.7)
    counts, sums, squares = deviations(0.7, NORM, Shares())
    assert np.hypot(1 / counts, NORM / sums) == pytest.approx(0.7)
    assert squares == 0


@pytest.mark.parametrize("epsilon", [1.0, 8.0])
def test_noise_over_ten_thousand_draws_is_within_two_percent_of_what_was_asked(epsilon):
    signal = signal_for(epsilon, 1e-5)
    values, labels = speech(0)
    exact = moments(values, labels, 3, NORM, WITH_SQUARES)
    stream = np.random.default_rng(0)
    drawn = [noised(exact, signal, NORM, WITH_SQUARES, stream) for _ in range(10_000)]
    asked = deviations(signal, NORM, WITH_SQUARES)
    assert np.std([one.counts - exact.counts for one in drawn]) == pytest.approx(asked[0], rel=0.02)
    assert np.std([one.sums - exact.sums for one in drawn]) == pytest.approx(asked[1], rel=0.02)
    squares = np.stack([one.squares - exact.squares for one in drawn])
    assert np.std(squares[:, range(4), range(4)]) == pytest.approx(asked[2], rel=0.02)
    off_diagonal = squares[:, *np.triu_indices(4, 1)]
    assert np.std(off_diagonal) == pytest.approx(asked[2] / np.sqrt(2), rel=0.02)
    assert abs(np.corrcoef(off_diagonal.T) - np.eye(6)).max() < 0.05


def test_noise_hides_one_utterance_as_the_accountant_says():
    """The best test for one utterance, a likelihood ratio over all numbers, has the power of its signal and no more."""
    signal = 1.0
    values, labels = np.vstack([np.zeros((5, 4)), np.full((1, 4), 9.0)]), np.zeros(6, dtype=int)
    without, with_it = (moments(values[:n], labels[:n], 2, NORM, WITH_SQUARES) for n in (5, 6))
    asked = deviations(signal, NORM, WITH_SQUARES)
    stream = np.random.default_rng(0)

    def score(found):
        # A number off the diagonal is there twice, and its noise has half of the variance: as it should.
        parts = zip(weighted(found), weighted(without), weighted(with_it), asked, strict=True)
        return sum((a - b) @ (c - b) / e**2 for a, b, c, e in parts)

    drawn = [
        [score(noised(exact, signal, NORM, WITH_SQUARES, stream)) for _ in range(4000)] for exact in (without, with_it)
    ]
    apart = (np.mean(drawn[1]) - np.mean(drawn[0])) / np.std(drawn[0])
    assert apart == pytest.approx(signal, rel=0.05)


def test_noise_is_symmetric_and_hangs_on_the_stream_alone():
    exact = moments(*speech(0), 3, NORM, WITH_SQUARES)
    one, again, other = (noised(exact, 1.0, NORM, WITH_SQUARES, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(one.squares, one.squares.T)
    assert np.array_equal(one.vector(), again.vector())
    assert not np.array_equal(one.vector(), other.vector())


def test_without_noise_means_and_covariance_are_those_of_the_clipped_vectors():
    values, labels = speech(0)
    short = clipped(values, NORM)
    found = moments(values, labels, 3, NORM, WITH_SQUARES)
    means = np.stack([short[labels == number].mean(axis=0) for number in range(3)])
    assert np.allclose(found.means(), means)
    assert np.allclose(found.covariance(), np.cov((short - means[labels]).T, bias=True))


def test_with_noise_a_covariance_still_is_one_and_a_class_that_noise_has_emptied_counts_as_one():
    emptied = Moments(np.array([-3.0, 2.0]), np.array([[1.0], [4.0]]))
    assert emptied.means().tolist() == [[1.0], [2.0]]
    exact = moments(*speech(0, n=6), 3, NORM, WITH_SQUARES)
    for seed in range(20):
        found = noised(exact, 0.1, NORM, WITH_SQUARES, np.random.default_rng(seed))
        assert np.linalg.eigvalsh(found.covariance()).min() >= -1e-9
        assert np.isfinite(found.means()).all()


def test_much_signal_gives_the_means_and_little_gives_noise():
    exact = moments(*speech(0), 3, NORM, Shares())
    errors = [
        np.abs(noised(exact, signal, NORM, Shares(), np.random.default_rng(0)).means() - exact.means()).max()
        for signal in (100.0, 0.01)
    ]
    assert errors[0] < 0.01
    assert errors[1] > 1


@pytest.mark.parametrize("shares", [Shares(), WITH_SQUARES])
def test_moments_are_one_row_of_numbers_and_back(shares):
    found = moments(*speech(0), 3, NORM, shares)
    again = Moments.of_vector(found.vector(), 3, 4)
    assert np.array_equal(again.counts, found.counts)
    assert np.array_equal(again.sums, found.sums)
    assert np.array_equal(again.squares, found.squares) if shares.squares else again.squares is None
    with pytest.raises(UserError, match="7 numbers are no moments of 3 classes and 4 features"):
        Moments.of_vector(np.zeros(7), 3, 4)


def test_moments_of_sites_add_up_to_those_of_all():
    values, labels = speech(0)
    parts = [moments(values[half], labels[half], 3, NORM, WITH_SQUARES).vector() for half in np.split(np.arange(60), 2)]
    assert np.allclose(sum(parts), moments(values, labels, 3, NORM, WITH_SQUARES).vector())


def test_short_vectors_are_left_and_long_ones_keep_their_direction():
    short = clipped([[0.6, 0.8], [30.0, 40.0], [0.0, 0.0]], NORM)
    assert np.allclose(short, [[0.6, 0.8], [1.2, 1.6], [0.0, 0.0]])


def test_a_norm_from_public_vectors_leaves_nearly_all_of_them_whole():
    public = np.random.default_rng(0).normal(size=(1000, 16))
    norm = public_clip(public)
    assert norm == pytest.approx(1.3 * np.quantile(np.linalg.norm(public, axis=1), 0.9))
    assert (np.linalg.norm(public, axis=1) < norm).mean() > 0.98


def test_parts_of_a_noise_hide_enough_together_even_when_some_are_lost():
    """Five sites, of whom two may be lost: the noise of any three is that of one mechanism."""
    each = deviations(signal_of_each(1.0, 5, lost=2), NORM, Shares())
    whole = deviations(1.0, NORM, Shares())
    assert np.sqrt(3) * each[1] == pytest.approx(whole[1])
    with pytest.raises(UserError, match="5 of 5 sites cannot be lost"):
        signal_of_each(1.0, 5, lost=5)


def test_what_cannot_be_private_is_refused():
    values, labels = speech(0)
    with pytest.raises(UserError, match="not of shape"):
        clipped(np.full((2, 2), np.nan), NORM)
    for norm in (0.0, np.inf):
        with pytest.raises(UserError, match="norm to clip to"):
            clipped(values, norm)
    with pytest.raises(UserError, match="as many classes below 2"):
        moments(values, labels, 2, NORM, Shares())
    with pytest.raises(UserError, match="signal above 0"):
        deviations(0.0, NORM, Shares())
    for shares in ((0.0, 1.0), (0.5, 0.6), (0.7, 0.5, -0.2)):
        with pytest.raises(UserError, match="shares of a budget"):
            Shares(*shares)
    with pytest.raises(UserError, match="no covariance"):
        moments(values, labels, 3, NORM, Shares()).covariance()
