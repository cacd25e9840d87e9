"""Counts, means and covariance of clipped vectors, told through a Gaussian mechanism.

Owns clipping, sensitivity and noise. Must not know where vectors come from: they lie in a space that is public, or else
the space itself tells of speech.

The unit is one utterance, added or removed. Noise is drawn as floating-point numbers; attacks on their last digits are
met only by the grid to which `common.privacy.summation` rounds them.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from common.errors import UserError

Floats = NDArray[np.float64]

CLIP_SHARE, CLIP_FACTOR = 0.9, 1.3
"""The quantile of public norms, and how much farther vectors may reach than it."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Of the squared signal that each question gets; together 1. `squares` of 0: covariance is not asked for."""

    counts: float = 0.1
    sums: float = 0.9
    squares: float = 0.0

    def __post_init__(self) -> None:
        parts = (self.counts, self.sums, self.squares)
        if min(self.counts, self.sums) <= 0 or self.squares < 0 or not math.isclose(sum(parts), 1):
            raise UserError("shares of a budget are above 0 and together 1", where=", ".join(f"{x:g}" for x in parts))


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums that add up over sites: of ones [K], of vectors [K, d], of outer products over all classes [d, d]."""

    counts: Floats
    sums: Floats
    squares: Floats | None = None

    def vector(self) -> Floats:
        """All numbers in a row, as they are summed; of outer products the upper half."""
        parts = [self.counts, self.sums.ravel()]
        if self.squares is not None:
            parts.append(self.squares[np.triu_indices(len(self.squares))])
        return np.concatenate(parts)

    @classmethod
    def of_vector(cls, vector: ArrayLike, classes: int, size: int) -> "Moments":
        """The same numbers again."""
        numbers = np.asarray(vector, dtype=np.float64)
        cut, rest = classes + classes * size, size * (size + 1) // 2
        if numbers.shape not in ((cut,), (cut + rest,)):
            raise UserError(f"{numbers.size} numbers are no moments of {classes} classes and {size} features")
        counts, sums = numbers[:classes], numbers[classes:cut].reshape(classes, size)
        if len(numbers) == cut:
            return cls(counts, sums)
        squares = np.zeros((size, size))
        squares[np.triu_indices(size)] = numbers[cut:]
        return cls(counts, sums, squares + np.triu(squares, 1).T)

    def means(self) -> Floats:
        """[K, d]; a class that noise has emptied counts as one utterance."""
        return np.asarray(self.sums / self.counts.clip(min=1)[:, None])

    def covariance(self) -> Floats:
        """Within classes, pooled; what noise has bent below zero is straightened, which costs no privacy."""
        if self.squares is None:
            raise UserError("moments without outer products have no covariance")
        means, counts = self.means(), self.counts.clip(min=1)
        within = self.squares / counts.sum() - (counts[:, None] * means).T @ means / counts.sum()
        values, vectors = np.linalg.eigh((within + within.T) / 2)
        return np.asarray((vectors * values.clip(min=0)) @ vectors.T)


def public_clip(public: ArrayLike) -> float:
    """A norm that few vectors pass, from public ones alone."""
    return float(CLIP_FACTOR * np.quantile(np.linalg.norm(np.asarray(public), axis=1), CLIP_SHARE))


def clipped(values: ArrayLike, norm: float) -> Floats:
    """Each vector shortened to the norm, where it is longer."""
    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 2 or not np.isfinite(given).all():
        raise UserError(f"vectors to clip are [n, d] and finite, not of shape {given.shape}")
    if not 0 < norm < math.inf:
        raise UserError("a norm to clip to is above 0 and finite", where=norm)
    lengths = np.linalg.norm(given, axis=1, keepdims=True)
    return np.asarray(given * (norm / np.maximum(lengths, norm)))


def moments(values: ArrayLike, classes: ArrayLike, count: int, norm: float, shares: Shares) -> Moments:
    """Of clipped vectors, without noise."""
    short, owners = clipped(values, norm), np.asarray(classes, dtype=np.int64)
    if owners.shape != (len(short),) or ((owners < 0) | (owners >= count)).any():
        raise UserError(f"{len(short)} vectors ask for as many classes below {count}", where=f"shape {owners.shape}")
    belongs = np.eye(count)[:, owners]
    return Moments(belongs.sum(axis=1), belongs @ short, short.T @ short if shares.squares else None)


def deviations(signal: float, norm: float, shares: Shares) -> tuple[float, float, float]:
    """Of the noise on each count, each number of a sum and each outer product's, so that all have that signal together.

    One utterance changes one count by 1, one sum by a vector of at most the norm, and the outer products, seen as one
    vector, by at most the norm squared.
    """
    if not 0 < signal < math.inf:
        raise UserError("a mechanism needs a signal above 0", where=signal)
    squares = norm**2 / (signal * math.sqrt(shares.squares)) if shares.squares else 0.0
    return 1 / (signal * math.sqrt(shares.counts)), norm / (signal * math.sqrt(shares.sums)), squares


def noised(exact: Moments, signal: float, norm: float, shares: Shares, stream: np.random.Generator) -> Moments:
    """With Gaussian noise; the stream is of the site's own secret, or there is no privacy.

    Noise on outer products is symmetric: the upper half is drawn, and what lies off the diagonal stands for two.
    """
    counts, sums, squares = deviations(signal, norm, shares)
    noisy = Moments(
        exact.counts + counts * stream.normal(size=exact.counts.shape),
        exact.sums + sums * stream.normal(size=exact.sums.shape),
    )
    if exact.squares is None:
        return noisy
    drawn = squares * stream.normal(size=exact.squares.shape)
    upper = np.triu(drawn, 1) / math.sqrt(2)
    return Moments(noisy.counts, noisy.sums, exact.squares + upper + upper.T + np.diag(np.diag(drawn)))


def signal_of_each(signal: float, sites: int, *, lost: int = 0) -> float:
    """Larger, for a site whose noise is a part of that of a sum: any `sites - lost` of them hide enough together."""
    if not 0 <= lost < sites:
        raise UserError(f"{lost} of {sites} sites cannot be lost")
    return signal * math.sqrt(sites - lost)
