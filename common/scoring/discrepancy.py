"""Maximum mean discrepancy a feature, averaged over features, beside what real speech shows against itself.

Owns the estimators of Yi & Mak (2020) and their floor. Must not know where vectors come from.

The biased estimator is above zero even for two samples of one law, the more the fewer there are: 0.0055 at 480 vectors,
which is what the paper prints for its best network. A value therefore means something only beside its floor.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError
from common.scoring.confusion import Floats
from common.scoring.labelled import Labelled, check_comparable
from common.seeds import numpy_stream

WIDTHS = (0.1, 1.0, 5.0, 10.0, 100.0)
"""Of the kernels that are summed; vectors are in normalised units."""
WIDE = 4.0
"""Deviations of a kernel within which values must lie for its series to be short."""
TERMS = 72
"""Of that series: the first left out is below 16^72 / 72!, or 1e-17."""
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
    sums = np.mean([_sums(*columns) for columns in zip(*(x.T for x in (*groups, synthetic.values)), strict=True)], 0)
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


def _sums(*groups: Floats) -> Floats:
    """Of the kernel over all pairs of each two groups, for one feature."""
    farthest = max(float(np.abs(group).max()) for group in groups)
    wide = [width for width in WIDTHS if farthest <= WIDE * width]
    narrow = [width for width in WIDTHS if farthest > WIDE * width]
    sums = np.zeros((len(groups), len(groups)))
    for width in wide:
        terms = np.stack([_series(group / width).sum(axis=1) for group in groups])
        sums += terms @ terms.T
    single = [group.astype(np.float32) for group in groups]
    for row in range(len(groups)):
        for column in range(row + 1):
            sums[row, column] += _pairs(single[row], single[column], narrow)
            sums[column, row] = sums[row, column]
    return sums


def _series(scaled: Floats) -> Floats:
    """Features [TERMS, n] whose products are the kernel: exp(-(x - y)^2 / 2) is a sum of products of x and y alone."""
    factors = np.empty((TERMS, len(scaled)))
    factors[0] = np.exp(-(scaled**2) / 2)
    factors[1:] = scaled / np.sqrt(np.arange(1, TERMS))[:, None]
    return np.asarray(np.multiply.accumulate(factors, axis=0))


def _pairs(one: Single, other: Single, widths: list[float]) -> float:
    squares = one[:, None] - other
    squares *= squares
    room, total = np.empty_like(squares), 0.0
    for width in widths:
        np.multiply(squares, np.float32(-0.5 / width**2), out=room)
        total += float(np.exp(room, out=room).sum())
    return total
