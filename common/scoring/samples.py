"""How close generated samples lie to real ones, measured between their embeddings.

Owns distances between two clouds of points, [n, d] arrays. Must not know what embedded them, nor torch.

All four praise a generator that copies its data: they measure closeness, not worth and not privacy. All
depend on how many samples there are, so compare only values of the same numbers.
"""

from dataclasses import dataclass

import numpy as np

from common.errors import UserError
from common.scoring.confusion import Floats

NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class Quality:
    """The four measures and the numbers of points behind them."""

    frechet: float
    kernel: float
    density: float
    coverage: float
    real: int
    generated: int


def quality(real: Floats, generated: Floats) -> Quality:
    """All four measures of a cloud of generated embeddings beside a real one.

    >>> points = np.random.default_rng(0).normal(size=(100, 3))
    >>> quality(points, points).coverage
    1.0
    """
    real, generated = _checked(real, generated)
    density, coverage = density_and_coverage(real, generated)
    return Quality(
        frechet_distance(real, generated),
        kernel_distance(real, generated),
        density,
        coverage,
        real=len(real),
        generated=len(generated),
    )


def frechet_distance(real: Floats, generated: Floats) -> float:
    """Squared 2-Wasserstein distance between the Gaussians fitted to both clouds (Heusel et al. 2017, FID).

    |m1 - m2|^2 + tr C1 + tr C2 - 2 tr (C1 C2)^(1/2); the last trace is the sum of the singular values
    of C1^(1/2) C2^(1/2), roots of symmetric matrices that stay real where a covariance is singular.
    """
    real, generated = _checked(real, generated)
    apart = real.mean(axis=0) - generated.mean(axis=0)
    one, other = (np.atleast_2d(np.cov(points, rowvar=False)) for points in (real, generated))
    shared = np.linalg.svd(_root(one) @ _root(other), compute_uv=False).sum()
    # Rounding can leave a hair below zero where the clouds are alike.
    return max(float(apart @ apart + np.trace(one) + np.trace(other) - 2 * shared), 0.0)


def kernel_distance(real: Floats, generated: Floats) -> float:
    """Unbiased squared maximum mean discrepancy, kernel (x.y / d + 1)^3 (Binkowski et al. 2018, KID).

    Zero on average where both clouds come from one distribution, hence below zero as often as above.
    """
    real, generated = _checked(real, generated)
    within = _mean_off_diagonal(_kernel(real, real)) + _mean_off_diagonal(_kernel(generated, generated))
    return float(within - 2 * _kernel(real, generated).mean())


def density_and_coverage(real: Floats, generated: Floats, neighbours: int = NEIGHBOURS) -> tuple[float, float]:
    """Fidelity and diversity by the balls that reach to each real point's k-th neighbour (Naeem et al. 2020).

    Density: balls that hold a generated point, over k; 1 on average for the real distribution, unbounded.
    Coverage: the share of balls that hold any generated point; about 1 - 2^-k for the real distribution.
    """
    from scipy.spatial.distance import cdist  # a second that a process which only counts should not pay

    real, generated = _checked(real, generated, at_least=neighbours + 1)
    # Column zero of the sorted distances is the point itself.
    radii = np.partition(cdist(real, real), neighbours, axis=1)[:, neighbours]
    held = cdist(real, generated) <= radii[:, None]
    return float(held.sum(axis=0).mean() / neighbours), float(held.any(axis=1).mean())


def _root(covariance: Floats) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(values.clip(min=0))) @ vectors.T)


def _kernel(one: Floats, other: Floats) -> Floats:
    return np.asarray((one @ other.T / one.shape[1] + 1) ** 3)


def _mean_off_diagonal(square: Floats) -> float:
    size = len(square)
    return float((square.sum() - np.trace(square)) / (size * (size - 1)))


def _checked(real: Floats, generated: Floats, at_least: int = 2) -> tuple[Floats, Floats]:
    clouds = np.asarray(real, dtype=np.float64), np.asarray(generated, dtype=np.float64)
    for name, cloud in zip(("real", "generated"), clouds, strict=True):
        if cloud.ndim != 2 or len(cloud) < at_least:
            asked = f"[n, d] with n at least {at_least}"
            raise UserError(f"{name} embeddings have shape {cloud.shape}, but {asked} is asked for")
        if not np.isfinite(cloud).all():
            raise UserError(f"{name} embeddings are not all finite")
    if clouds[0].shape[1] != clouds[1].shape[1]:
        widths = f"{clouds[0].shape[1]} against {clouds[1].shape[1]}"
        raise UserError("real and generated embeddings differ in dimension", where=widths)
    return clouds
