"""Maximum mean discrepancy a feature, averaged over features, beside what real speech shows against itself.

Owns the estimators of Yi & Mak (2020) and their floor. Must not know where vectors come from.

The biased estimator is above zero even for two samples of one law, the more the fewer there are: 0.0055 at 480 vectors,
which is what the paper prints for its best network. A value therefore means something only beside its floor.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError
from common.scoring.confusion import Floats
from common.scoring.labelled import Labelled, check_comparable
from common.seeds import numpy_stream

WIDTHS = (0.1, 1.0, 5.0, 10.0, 100.0)
"""Of the kernels that are summed; vectors are in normalised units."""
WIDE = 6.0
"""Deviations of a kernel within which values must lie for its series to be shorter than the pairs, and for powers of
values to be numbers that a double holds."""
LEFT_OUT = 1e-17
"""The first term of a series that is not added is below it."""
BLOCK = 64
"""Features at a time, so that their powers stay in the processor's cache."""
Single = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Lower is better; means over features.

    Args:
        biased: the paper's three-term estimator.
        unbiased: without the pairs of a vector with itself: around zero for two samples of one law.
        floor: what `biased` would be for so many vectors of the real law, from halves of the real ones.
        real: vectors.
        synthetic: vectors.
    """

    biased: float
    unbiased: float
    floor: float
    real: int
    synthetic: int

    @property
    def over_floor(self) -> float:
        """Lower is better, 1 is as good as real."""
        return self.biased / self.floor


def discrepancy(real: Labelled, synthetic: Labelled, *, seed: int) -> Discrepancy:
    """Section V-A of Yi & Mak: k(x, y) = sum over s of exp(-|x - y|^2 / (2 s^2)), a feature at a time.

    >>> points = Labelled(np.random.default_rng(0).normal(size=(60, 3)), [0, 1] * 30)
    >>> found = discrepancy(points, points, seed=0)
    >>> found.biased, found.unbiased < 0 < found.floor
    (0.0, True)
    """
    check_comparable(real, synthetic)
    if len(real) < 4 or len(synthetic) < 2:
        raise UserError(f"{len(real)} real and {len(synthetic)} made vectors", remedy="4 and 2 are needed at least")
    shuffled = numpy_stream(seed, "halves of the real").permutation(len(real))
    groups = [half.values for half in (real[part] for part in np.array_split(shuffled, 2))]
    sums = _sums([*groups, synthetic.values])
    sizes = np.array([*map(len, groups), len(synthetic)], dtype=np.float64)
    halves = _unbiased(sums[:2, :2], sizes[:2])
    merged, both = _merge(sums), np.array([len(real), len(synthetic)], dtype=np.float64)
    # Of the bias: a vector is as near as can be to itself, and one in n pairs is such a pair.
    alone = len(WIDTHS) - (merged[0, 0] - len(WIDTHS) * both[0]) / (both[0] * (both[0] - 1))
    return Discrepancy(
        biased=_biased(merged, both),
        unbiased=_unbiased(merged, both),
        floor=float(max(halves, 0.0) + alone * (1 / both).sum()),
        real=len(real),
        synthetic=len(synthetic),
    )


def _biased(sums: Floats, sizes: Floats) -> float:
    means = sums / np.outer(sizes, sizes)
    return float(max(means[0, 0] + means[1, 1] - 2 * means[0, 1], 0.0))


def _unbiased(sums: Floats, sizes: Floats) -> float:
    within = (np.diagonal(sums) - len(WIDTHS) * sizes) / (sizes * (sizes - 1))
    return float(within.sum() - 2 * sums[0, 1] / sizes.prod())


def _merge(sums: Floats) -> Floats:
    """The two halves of the real ones as one group."""
    joined = np.array([[1, 1, 0], [0, 0, 1]], dtype=np.float64)
    return np.asarray(joined @ sums @ joined.T)


def _sums(groups: Sequence[Floats]) -> Floats:
    """Of the kernel over all pairs of each two groups: a mean over features."""
    features = groups[0].shape[1]
    farthest = np.max([np.abs(group).max(axis=0) for group in groups], axis=0)
    sums = np.zeros((len(groups), len(groups)))
    for width in WIDTHS:
        wide = np.flatnonzero(farthest <= WIDE * width)
        for block in np.split(wide, range(BLOCK, len(wide), BLOCK)):
            sums += _by_series([group[:, block] / width for group in groups], farthest[block].max(initial=0) / width)
        for feature in np.flatnonzero(farthest > WIDE * width):
            sums += _by_pairs([(group[:, feature] / width).astype(np.float32) for group in groups])
    return np.asarray(sums / features)


def _by_series(groups: Sequence[Floats], farthest: float) -> Floats:
    """exp(-(x - y)^2 / 2) is a sum of products of x and y alone: the k-th is x^k exp(-x^2 / 2) over the root of k!."""
    powers = [np.exp(-(group**2) / 2) for group in groups]
    sums, weight = np.zeros((len(groups), len(groups))), 1.0
    for term in range(1, _terms(farthest) + 1):
        totals = np.stack([power.sum(axis=0) for power in powers])
        sums += weight * (totals @ totals.T)
        weight /= term
        for group, power in zip(groups, powers, strict=True):
            power *= group
    return sums


def _terms(farthest: float) -> int:
    """How many there are until one is below what is left out; they rise before they fall."""
    terms, size = 0, 1.0
    while size >= LEFT_OUT or terms <= farthest**2:
        terms += 1
        size *= farthest**2 / terms
    return terms


def _by_pairs(groups: Sequence[Single]) -> Floats:
    """Pair by pair."""
    sums = np.zeros((len(groups), len(groups)))
    for row, column in itertools.combinations_with_replacement(range(len(groups)), 2):
        squares = groups[row][:, None] - groups[column]
        squares *= squares
        squares *= np.float32(-0.5)
        sums[row, column] = sums[column, row] = float(np.exp(squares, out=squares).sum())
    return sums
