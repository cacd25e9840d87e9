"""What remembers, and what does not."""

import numpy as np
import pytest

from common.errors import UserError
from common.scoring.labelled import Labelled
from common.scoring.memorization import nearest_neighbour_ratio


def drawn(seed, n=60, d=12):
    return Labelled(np.random.default_rng(seed).normal(size=(n, d)), np.arange(n) % 2)


FITTED, UNSEEN = drawn(0, n=120).halves(seed=0)


def ratio(synthetic, fitted=FITTED, unseen=UNSEEN):
    return nearest_neighbour_ratio(fitted, unseen, synthetic, seed=0).ratio


def test_fresh_samples_of_the_law_remember_nothing():
    assert ratio(drawn(1, n=2000)) == pytest.approx(1, abs=0.06)


def test_copies_and_what_lies_near_them_are_found():
    assert ratio(FITTED) == 0
    jittered = Labelled(FITTED.values + 0.3 * drawn(2, n=60).values, FITTED.labels)
    assert ratio(jittered) < 0.5


def test_copies_of_the_unseen_side_are_above_one():
    jittered = Labelled(UNSEEN.values + 0.3 * drawn(2, n=60).values, UNSEEN.labels)
    assert ratio(jittered) > 2


def test_a_larger_side_gains_nothing_from_its_size():
    found = nearest_neighbour_ratio(drawn(0, n=2000), drawn(1, n=100), drawn(2, n=2000), seed=0)
    assert found.ratio == pytest.approx(1, abs=0.05)
    assert (found.recordings, found.samples) == (100, 2000)


def test_samples_that_all_are_unseen_vectors_have_no_ratio():
    with pytest.raises(UserError, match="all copies of unseen vectors"):
        ratio(UNSEEN)
