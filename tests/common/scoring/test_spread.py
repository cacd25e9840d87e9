"""Deviations that are known, and the usual failure: collapse."""

import numpy as np
import pytest

from common.errors import UserError
from common.scoring.labelled import Labelled
from common.scoring.spread import spread


def cloud(seed, scales=(1.0, 1.0), n=200, apart=0.0):
    labels = np.arange(n) % len(scales)
    values = np.random.default_rng(seed).normal(size=(n, 6)) * np.take(scales, labels)[:, None]
    return Labelled(values + apart * labels[:, None], labels)


def test_halves_of_real_speech_vary_alike():
    first, second = cloud(0, n=800).halves(seed=0)
    assert spread(first, second).ratio == pytest.approx(1, abs=0.06)


def test_a_ratio_is_within_a_class_and_not_between_classes():
    found = spread(cloud(0, scales=(1.0, 1.0), apart=50.0), cloud(1, scales=(0.5, 0.1), apart=0.0))
    assert found.by_class[0] == pytest.approx(0.5, abs=0.06)
    assert found.by_class[1] == pytest.approx(0.1, abs=0.02)
    assert found.ratio == pytest.approx(0.3, abs=0.04)


def test_collapsed_samples_are_near_zero_and_shifted_ones_are_not_blamed():
    real = cloud(0)
    collapsed = Labelled(np.zeros_like(real.values), real.labels)
    assert spread(real, collapsed).ratio == 0
    assert spread(real, Labelled(real.values + 9, real.labels)).ratio == pytest.approx(1)


def test_a_class_that_one_side_lacks_is_not_counted():
    found = spread(cloud(0, scales=(1.0, 1.0, 1.0)), cloud(1, scales=(1.0, 1.0)))
    assert sorted(found.by_class) == [0, 1]


def test_real_speech_that_does_not_vary_has_no_ratio():
    with pytest.raises(UserError, match="no class has two different real vectors"):
        spread(Labelled([[1.0], [2.0]], [0, 1]), Labelled([[1.0], [2.0]], [0, 1]))
