"""Closed forms for Gaussians; and for each measure a generator that copies, one that is noise, one stuck in place."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from common.errors import UserError
from common.scoring import density_and_coverage, frechet_distance, kernel_distance, quality


def cloud(seed: int, n: int = 400, d: int = 8, shift: float = 0.0, scale: float = 1.0) -> np.ndarray:
    return shift + scale * np.random.default_rng(seed).normal(size=(n, d))


def exactly(mean: np.ndarray, root: np.ndarray, seed: int, n: int = 50) -> np.ndarray:
    """Points whose sample mean and sample covariance (root @ root.T) are these to the last digit."""
    points = cloud(seed, n, len(mean))
    points -= points.mean(axis=0)
    white = np.linalg.solve(np.linalg.cholesky(np.cov(points, rowvar=False)), points.T)
    return (root @ white).T + mean


def test_frechet_distance_of_gaussians_along_one_set_of_axes_is_the_closed_form():
    real = exactly(np.array([0.0, 1.0, 2.0]), np.diag([1.0, 2.0, 3.0]), seed=0)
    generated = exactly(np.array([1.0, 1.0, 4.0]), np.diag([2.0, 2.0, 1.0]), seed=1)
    assert frechet_distance(real, generated) == pytest.approx((1 + 4) + (1 + 0 + 4), abs=1e-9)


def test_frechet_distance_of_turned_gaussians_equals_the_textbook_square_root():
    stream = np.random.default_rng(2)
    roots = [stream.normal(size=(4, 4)) for _ in range(2)]
    real, generated = (exactly(np.zeros(4), root, seed) for seed, root in enumerate(roots))
    one, other = (root @ root.T for root in roots)
    expected = np.trace(one + other - 2 * sqrtm(one @ other).real)
    assert frechet_distance(real, generated) == pytest.approx(expected, abs=1e-8)


def test_frechet_distance_stays_finite_with_fewer_points_than_dimensions():
    real, generated = cloud(0, n=10, d=40), cloud(1, n=10, d=40)
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-6)
    assert 0 < frechet_distance(real, generated) < np.inf


def test_kernel_distance_is_what_the_double_sum_gives():
    real, generated = cloud(0, n=5, d=3), cloud(1, n=4, d=3, shift=1.0)

    def kernel(a, b):
        return (a @ b / 3 + 1) ** 3

    within_real = np.mean([kernel(a, b) for i, a in enumerate(real) for j, b in enumerate(real) if i != j])
    within = np.mean([kernel(a, b) for i, a in enumerate(generated) for j, b in enumerate(generated) if i != j])
    across = np.mean([kernel(a, b) for a in real for b in generated])
    assert kernel_distance(real, generated) == pytest.approx(within_real + within - 2 * across)


def test_kernel_distance_is_unbiased():
    distances = [kernel_distance(cloud(2 * i, n=40), cloud(2 * i + 1, n=40)) for i in range(200)]
    assert abs(np.mean(distances)) < 3 * np.std(distances) / np.sqrt(200)
    assert min(distances) < 0 < max(distances)


def test_kernel_distance_sees_what_two_moments_cannot():
    gaussian, lopsided = cloud(0, n=2000, d=1), np.random.default_rng(1).exponential(size=(2000, 1)) - 1
    matched = (lopsided - lopsided.mean()) / lopsided.std(ddof=1) * gaussian.std(ddof=1) + gaussian.mean()
    assert frechet_distance(gaussian, matched) == pytest.approx(0, abs=1e-9)
    assert kernel_distance(gaussian, matched) > 1


def test_the_real_distribution_has_density_one_and_the_coverage_of_theory():
    density, coverage = np.mean([density_and_coverage(cloud(2 * i), cloud(2 * i + 1)) for i in range(8)], axis=0)
    assert density == pytest.approx(1, abs=0.05)
    assert coverage == pytest.approx(1 - 2**-5, abs=0.01)


def test_a_generator_that_copies_is_praised_by_all_four():
    real = cloud(0)
    copied = quality(real, real)
    assert copied.frechet == pytest.approx(0, abs=1e-9)
    assert copied.kernel <= 0
    assert copied.density == pytest.approx(6 / 5)  # each ball holds its own centre and its five neighbours
    assert copied.coverage == 1
    assert (copied.real, copied.generated) == (400, 400)


def test_a_generator_that_is_noise_is_blamed_by_all_four():
    noise, honest = quality(cloud(0), cloud(1, shift=6.0, scale=3.0)), quality(cloud(0), cloud(2))
    assert noise.frechet > 100 * honest.frechet
    assert noise.kernel > 100 * abs(honest.kernel)
    assert noise.density < 0.01
    assert noise.coverage < 0.01


def test_a_generator_that_is_stuck_looks_dense_but_covers_little():
    real = cloud(0)
    stuck = np.zeros_like(real) + 1e-3 * cloud(1)
    density, coverage = density_and_coverage(real, stuck)
    assert density > 2
    assert coverage < 0.1


@pytest.mark.parametrize(
    ("real", "generated", "complaint"),
    [
        (cloud(0, d=3), cloud(1, d=4), "differ in dimension: 3 against 4"),
        (cloud(0, n=5), cloud(1), r"real embeddings have shape \(5, 8\)"),
        (cloud(0), cloud(1)[0], r"generated embeddings have shape \(8,\)"),
        (cloud(0), np.full((9, 8), np.nan), "generated embeddings are not all finite"),
    ],
)
def test_embeddings_that_cannot_be_measured_are_refused(real, generated, complaint):
    with pytest.raises(UserError, match=complaint):
        quality(real, generated)
