"""What makes two sets of features two: a pool or a site of another one is told by it."""

from dataclasses import replace

import numpy as np

from common.features.sets.feature_set import FeatureSet

OWN = FeatureSet("own", "1", "none", ("level", "pitch"), lambda heard: np.zeros(2, np.float32))


def test_another_version_or_order_of_numbers_is_another_set():
    others = [replace(OWN, version="2"), replace(OWN, names=("pitch", "level")), replace(OWN, names=("level",))]
    assert len({OWN.digest, *(one.digest for one in others)}) == 4


def test_whose_it_is_called_and_licensed_is_not():
    """A control."""
    assert replace(OWN, name="mine", licence="another").digest == OWN.digest
