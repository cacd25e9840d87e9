"""Four clouds that a line can part; samples that are good, all alike, mislabelled."""

import numpy as np
import pytest

from common.errors import UserError
from common.scoring.labelled import Labelled
from common.scoring.transfer import COSTS, Side, _inner_folds, _inner_uar, _products, chosen_machine, transfer

LABELS = ("neutral", "angry", "sad", "happy")
CENTRES = 0.7 * np.random.default_rng(0).normal(size=(4, 30))


def made(seed, n=80, spread=1.0, relabel=lambda labels: labels, distance=1.0):
    labels = np.arange(n) % 4
    values = distance * CENTRES[labels] + spread * np.random.default_rng(seed).normal(size=(n, 30))
    return Labelled(values, relabel(labels))


def side(seed, n=80):
    return Side(made(seed, n), [f"speaker {number // 16}" for number in range(n)])


def measured(synthetic):
    found = transfer(side(1), side(2, n=48), synthetic, LABELS, seed=0)
    metrics = (found.metric_1_set_1, found.metric_1_set_2, found.metric_2_set_1, found.metric_2_set_2)
    return [one.uar for one in metrics]


def test_samples_like_real_speech_are_good_by_all_four():
    assert min(measured(made(3))) > 0.9


def test_one_real_vector_a_class_repeated_is_best_by_metric_1_and_poor_by_metric_2():
    real = side(1).vectors
    on_itself = chosen_machine(real, side(1).speakers, seed=0).confusion(real, LABELS)
    assert on_itself.uar == 1
    first, _, third, fourth = measured(real[np.arange(80) % 4])
    assert first == 1
    assert max(third, fourth) < min(measured(made(3))) - 0.1


def test_samples_under_wrong_labels_are_bad_by_all_four():
    assert max(measured(made(3, relabel=lambda labels: (labels + 1) % 4))) < 0.1


def test_samples_that_know_nothing_are_at_chance():
    assert np.allclose(measured(made(3, n=400, distance=0.0))[:2], 0.25, atol=0.1)


def test_each_number_counts_what_was_tested():
    found = transfer(side(1), side(2, n=48), made(3, n=120), LABELS, seed=0)
    counts = [one.n for one in (found.metric_1_set_1, found.metric_1_set_2, found.metric_2_set_1, found.metric_2_set_2)]
    assert counts == [120, 120, 80, 48]


def test_c_is_chosen_on_speakers_apart():
    """Each speaker has one class and a mark: whoever sees a speaker on both sides finds the mark a perfect sign."""
    labels = np.repeat(np.arange(2), 40)
    speakers = [f"speaker {number // 10}" for number in range(80)]
    marks = np.eye(8)[np.arange(80) // 10] * 20
    vectors = Labelled(np.hstack([marks, np.random.default_rng(0).normal(size=(80, 2))]), labels)
    products = _products(vectors, vectors)
    apart = _inner_uar(products, labels, _inner_folds(vectors, speakers, 0))
    mixed = _inner_uar(products, labels, _inner_folds(vectors, None, 0))
    assert max(mixed) == 1
    assert max(apart) < 0.8


def test_of_several_equally_good_c_the_smallest_is_taken():
    assert chosen_machine(made(0, spread=1e-3), None, seed=0).cost == COSTS[0]


def test_other_features_one_class_and_one_speaker_are_refused():
    with pytest.raises(UserError, match="differ in their number of features"):
        transfer(side(1), side(2), Labelled(np.ones((8, 3)), np.arange(8) % 2), LABELS, seed=0)
    with pytest.raises(UserError, match="two classes"):
        chosen_machine(made(0, relabel=np.zeros_like), None, seed=0)
    with pytest.raises(UserError, match="two speakers"):
        chosen_machine(made(0), ["ann"] * 80, seed=0)
    with pytest.raises(UserError, match="80 vectors stand against 1 speakers"):
        chosen_machine(made(0), ["ann"], seed=0)
