"""Clouds of four classes: what is alike is near in the hidden layer, what is not is far."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from common.errors import UserError
from common.scoring.hidden import embedder, hidden_distance
from common.scoring.labelled import Labelled

CENTRES = 2 * np.random.default_rng(0).normal(size=(4, 12))


def made(seed, n=200, spread=1.0, shift=0.0):
    labels = np.arange(n) % 4
    return Labelled(CENTRES[labels] + shift + spread * np.random.default_rng(seed).normal(size=(n, 12)), labels)


REAL, UNSEEN = made(1), made(2)
EVERY = Labelled(np.vstack([REAL.values, UNSEEN.values]), np.concatenate([REAL.labels, UNSEEN.labels]))


def distance(synthetic):
    return hidden_distance(EVERY, REAL, synthetic, seed=0)


def test_copies_have_no_distance_and_another_half_of_the_real_has_little():
    assert distance(REAL) == pytest.approx(0, abs=1e-6)
    assert 0 < distance(UNSEEN) < 0.1 * distance(made(3, shift=2.0))


def test_collapsed_and_shifted_samples_are_far():
    half = distance(UNSEEN)
    assert distance(made(3, spread=0.01)) > 5 * half
    assert distance(made(3, shift=2.0)) > 10 * half


def test_the_layer_has_64_numbers_none_below_zero_and_is_trained():
    hidden = embedder(EVERY, seed=0)(UNSEEN)
    assert hidden.shape == (200, 64)
    assert hidden.min() == 0
    within = np.mean([hidden[UNSEEN.labels == label].var(axis=0).sum() for label in range(4)])
    assert within < 0.3 * hidden.var(axis=0).sum()


def test_it_is_the_third_of_four_hidden_layers():
    with pytest.warns(ConvergenceWarning):
        network = MLPClassifier((64,) * 4, max_iter=30, random_state=0).fit(EVERY.values, EVERY.labels)
    fourth = np.maximum(embedder(EVERY, seed=0)(UNSEEN) @ network.coefs_[3] + network.intercepts_[3], 0)
    logits = fourth @ network.coefs_[4] + network.intercepts_[4]
    assert np.allclose(softmax(logits, axis=1), network.predict_proba(UNSEEN.values))


def test_the_same_seed_gives_the_same_network():
    one, again, other = (embedder(EVERY, seed=seed)(REAL) for seed in (0, 0, 1))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_one_class_and_other_features_are_refused():
    with pytest.raises(UserError, match="two classes"):
        embedder(Labelled(REAL.values, np.zeros_like(REAL.labels)), seed=0)
    with pytest.raises(UserError, match="differ in their number of features"):
        distance(Labelled(np.ones((4, 3)), [0, 1, 2, 3]))
