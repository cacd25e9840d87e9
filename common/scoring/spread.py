"""Whether samples of an emotion vary as real speech of it does.

Owns the ratio of deviations. Must not know how samples are made.
"""

from dataclasses import dataclass

import numpy as np

from common.errors import UserError
from common.scoring.labelled import Labelled, check_comparable


@dataclass(frozen=True, slots=True)
class Spread:
    """Deviation of samples over that of real vectors, within a class; 1 is best, near 0 is collapse.

    Args:
        ratio: mean over the classes that are in `by_class`.
        by_class: class number to its ratio; a class with fewer than two vectors on either side is not in it.
    """

    ratio: float
    by_class: dict[int, float]


def spread(real: Labelled, synthetic: Labelled) -> Spread:
    """Mean over features of the deviation within a class, samples' over real.

    >>> points, labels = np.random.default_rng(0).normal(size=(40, 3)), [0, 1] * 20
    >>> round(spread(Labelled(points, labels), Labelled(points / 4, labels)).ratio, 12)
    0.25
    """
    check_comparable(real, synthetic)
    classes = 1 + int(max(real.labels.max(), synthetic.labels.max()))
    enough = (real.counts(classes) > 1) & (synthetic.counts(classes) > 1)
    by_class = {}
    for number in map(int, np.flatnonzero(enough)):
        inside, made = (side.values[side.labels == number].std(axis=0, ddof=1).mean() for side in (real, synthetic))
        if inside > 0:
            by_class[number] = float(made / inside)
    if not by_class:
        raise UserError("no class has two different real vectors and two samples", remedy="draw more samples")
    return Spread(float(np.mean(list(by_class.values()))), by_class)
