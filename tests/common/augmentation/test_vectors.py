"""Copies, noisy copies and points between neighbours; each asked for by class."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from common.augmentation import STAYS
from common.augmentation.vectors import DEVIATION, METHODS, copying, noise, smote
from common.errors import UserError
from common.scoring.labelled import Labelled
from common.scoring.memorization import nearest_neighbour_ratio

NAMES = ("neutral", "angry", "sad")
CLASSES = np.repeat([0, 1, 2], (20, 12, 7))
VALUES = np.random.default_rng(0).normal(size=(39, 5)) + 100 * CLASSES[:, None]
WANTED = np.tile([2, 0, 1], 40)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_what_is_made_is_of_the_wanted_class_in_the_wanted_order(method):
    made = method(VALUES, CLASSES, WANTED, NAMES, seed=0)
    assert made.shape == (120, 5)
    assert np.array_equal(np.rint(made.mean(axis=1) / 100), WANTED)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_the_same_seed_makes_the_same_and_classes_do_not_hang_on_each_other(method):
    one, again, other = (method(VALUES, CLASSES, WANTED, NAMES, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    for left_out in (0, 2):
        fewer = method(VALUES, CLASSES, WANTED[left_out != WANTED], NAMES, seed=0)
        assert np.array_equal(fewer, one[left_out != WANTED])


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_tensors_serve_as_well_and_keep_their_width(method):
    values, classes, wanted = torch.tensor(VALUES, dtype=torch.float32), torch.tensor(CLASSES), torch.tensor(WANTED)
    made = method(values, classes, wanted, NAMES, seed=0)
    assert made.dtype == np.float32
    assert np.allclose(made, method(VALUES, CLASSES, WANTED, NAMES, seed=0), atol=1e-4)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_class_without_an_utterance_is_refused_by_name_and_nothing_wanted_is_nothing(method):
    with pytest.raises(UserError, match="without an utterance: sad"):
        method(VALUES[:32], CLASSES[:32], [2], NAMES, seed=0)
    assert method(VALUES, CLASSES, [], NAMES, seed=0).shape == (0, 5)


@pytest.mark.parametrize("method", METHODS, ids=METHODS)
def test_each_says_why_it_stays(method):
    assert STAYS[method].startswith(method)


def test_copies_are_the_vectors_themselves_each_as_often_as_the_others():
    made = copying(VALUES, CLASSES, [2] * 16, NAMES, seed=0)
    own = VALUES[CLASSES == 2]
    often = (made[:, None] == own).all(axis=2).sum(axis=0)
    assert sorted(often) == [2] * 5 + [3] * 2


def test_noise_has_the_deviation_that_it_says():
    made = noise(VALUES, CLASSES, [2] * 7000, NAMES, seed=0)
    nearest = cdist(made, VALUES[CLASSES == 2])
    assert nearest.min() > 0
    around = made.var(axis=0) - VALUES[CLASSES == 2].var(axis=0)
    assert around == pytest.approx(DEVIATION**2, abs=0.05)


def test_two_classes_have_noise_of_their_own():
    """One stream for all would let whoever knows one class take its noise off the others."""
    made = noise(np.zeros((6, 4)), np.repeat([0, 1, 2], 2), np.repeat([0, 1, 2], 5), NAMES, seed=0)
    first, second, third = (made[number : number + 5] for number in (0, 5, 10))
    assert not any(np.isclose(one, other).any() for one, other in ((first, second), (first, third), (second, third)))


def test_smote_stays_between_a_vector_and_one_of_its_nearest_and_uses_every_such_line():
    made = smote(VALUES, CLASSES, [0] * 1000, NAMES, seed=0)
    own = VALUES[CLASSES == 0]
    apart, reach = cdist(own, own), cdist(made, own)
    lines = sorted({(min(a, b), max(a, b)) for a in range(20) for b in np.argsort(apart[a])[1:6]})
    detours = np.stack([reach[:, a] + reach[:, b] - apart[a, b] for a, b in lines])
    assert detours.min(axis=0).max() < 1e-9
    assert set(detours.argmin(axis=0)) == set(range(len(lines)))


def test_smote_of_a_class_of_two_is_the_line_between_them():
    values, classes = np.vstack([VALUES[:20], VALUES[-2:]]), np.repeat([0, 2], (20, 2))
    made = smote(values, classes, [2] * 300, NAMES, seed=0)
    shares = (made - values[-1]) / (values[-2] - values[-1])
    assert np.allclose(shares, shares[:, :1])
    assert np.allclose(np.quantile(shares, [0, 0.5, 1]), [0, 0.5, 1], atol=0.1)


def test_smote_refuses_a_class_of_one_utterance_by_name_and_only_where_it_is_wanted():
    values, classes = VALUES[:33], np.where(np.arange(33) == 32, 2, CLASSES[:33])
    with pytest.raises(UserError, match="two utterances of a class, but there is one: sad"):
        smote(values, classes, [0, 2], NAMES, seed=0)
    assert len(smote(values, classes, [0, 1], NAMES, seed=0)) == 2


def test_smote_and_copying_are_found_by_the_measure_of_memory_and_a_gaussian_is_not():
    """SMOTE is the positive control of that measure: a gate must see it."""
    stream = np.random.default_rng(0)
    real = Labelled(stream.normal(size=(80, 40)), np.arange(80) % 2)
    fitted, unseen = real.halves(seed=0)
    wanted = np.arange(400) % 2

    def ratio(made):
        return nearest_neighbour_ratio(fitted, unseen, Labelled(made, wanted), seed=0).ratio

    assert ratio(copying(fitted.values, fitted.labels, wanted, NAMES[:2], seed=0)) == 0
    assert 0.2 < ratio(smote(fitted.values, fitted.labels, wanted, NAMES[:2], seed=0)) < 0.5
    assert ratio(stream.normal(size=(400, 40))) > 0.9
