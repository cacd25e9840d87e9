"""What can be measured, and its halves."""

import numpy as np
import pytest
import torch

from common.errors import UserError
from common.scoring.labelled import Labelled, check_comparable


def test_tensors_and_arrays_are_the_same_to_a_measure():
    one = Labelled(torch.tensor([[1.0, 2.0]]), torch.tensor([3]))
    other = Labelled(np.array([[1.0, 2.0]], dtype=np.float32), [3])
    assert np.array_equal(one.values, other.values)
    assert np.array_equal(one.labels, other.labels)
    assert one.values.dtype == np.float64


def test_halves_share_nothing_hold_everything_and_split_every_class():
    labels = np.repeat([0, 1, 2], (7, 4, 9))
    whole = Labelled(np.arange(20.0)[:, None], labels)
    first, second = whole.halves(seed=0)
    assert sorted([*first.values.ravel(), *second.values.ravel()]) == list(range(20))
    assert np.abs(first.counts(3) - second.counts(3)).max() == 1
    assert len(first) == len(second) == 10
    assert all(labels[int(value)] == label for value, label in zip(first.values[:, 0], first.labels, strict=True))


def test_halves_hang_on_the_seed():
    whole = Labelled(np.arange(20.0)[:, None], np.arange(20) % 2)
    same, again, other = (whole.halves(seed=seed)[0].values for seed in (0, 0, 1))
    assert np.array_equal(same, again)
    assert not np.array_equal(same, other)


@pytest.mark.parametrize(
    ("values", "labels", "complaint"),
    [
        ([1.0, 2.0], [0, 1], r"vectors have shape \(2,\)"),
        (np.empty((0, 3)), [], r"vectors have shape \(0, 3\)"),
        ([[1.0], [2.0]], [0], "2 vectors ask for as many class numbers"),
        ([[1.0], [2.0]], [0.0, 1.0], "ask for as many class numbers"),
        ([[1.0], [2.0]], [0, -1], "ask for as many class numbers"),
        ([[1.0, 2.0], [3.0, np.nan]], [0, 1], "not all finite: row 1, feature 1"),
    ],
)
def test_what_cannot_be_measured_is_refused(values, labels, complaint):
    with pytest.raises(UserError, match=complaint):
        Labelled(values, labels)


def test_vectors_of_different_sets_cannot_be_compared():
    with pytest.raises(UserError, match="differ in their number of features: 1 against 2"):
        check_comparable(Labelled([[1.0]], [0]), Labelled([[1.0, 2.0]], [0]))
