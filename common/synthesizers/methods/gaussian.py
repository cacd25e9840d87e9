"""A Gaussian of vectors for each emotion: the control that every network must beat.

Owns the estimate of its mean and covariance, and the low rank in which both leave. Must not know where vectors come
from.

A covariance of d numbers a vector has d * d entries, and a site has some seventy vectors: its residuals span a space of
so few dimensions that whoever has all of it can ask of any recording whether it lies there. So what leaves is a few
directions of the most variance, at most a quarter as many as there are recordings, and for each number the variance
that is left. This shrinks the covariance towards its diagonal; each number keeps the variance that it had.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from common.errors import TooFew
from common.privacy.accountant import LARGEST_EPSILON
from common.privacy.moments import Floats, Moments, Shares
from common.settings import Section
from common.spaces import Space, Vectors
from common.synthesizers.private import COVARIANCE, MEANS, private_gaussians, released, told_moments
from common.synthesizers.synthesizer import (
    Cost,
    Fitting,
    Numbers,
    Privacy,
    Shapes,
    Sums,
    Synthesizer,
    Weights,
)
from common.synthesizers.vectors import Material
from common.training.standard import Standard, standard_shapes

NAME = "gaussian"
PARTS = 4
"""A direction may leave for every so many recordings."""
LEAST = 2
"""Recordings without which nothing deviates."""


class GaussianConfig(Section):
    """How a covariance is estimated, and how much of it leaves."""

    covariance: Literal["pooled", "each"] = Field(
        "pooled", description="one of what deviates from its emotion's mean, or one an emotion, which needs more speech"
    )
    rank: int = Field(
        16, ge=0, le=256, description="directions that leave at the most; a quarter of the recordings cap"
    )
    shrinkage: float = Field(
        0.1, ge=0.01, le=1, description="share of each direction's variance that is moved to single numbers"
    )
    epsilon: Annotated[float, Field(gt=0, le=LARGEST_EPSILON, allow_inf_nan=False)] | Literal["none"] = Field(
        "none", description="of differential privacy, for one utterance added or removed; none adds no noise"
    )
    delta: float = Field(1e-5, gt=0, le=1e-4, description="chance that the promise of epsilon does not hold")
    directions: int = Field(
        16,
        ge=1,
        le=50,
        description="public directions in which numbers are told; with epsilon, or in a sum",
    )
    noised: Literal["means", "covariance"] = Field(
        "means", description="what passes the noise: counts and means, or a pooled covariance too; with epsilon alone"
    )


class Settings(Section):
    """Its own section."""

    gaussian: GaussianConfig = GaussianConfig()


class GaussianSampler:
    """Mean, directions with their chances, and for each number a chance of its own."""

    def __init__(self, weights: Weights) -> None:
        self._mean, self._factor, self._own = (weights[name].float() for name in ("mean", "factor", "deviation"))
        self._standard = Standard.received(weights)

    def sample(self, wanted: Tensor, stream: torch.Generator, latent_scale: float = 1.0) -> Tensor:
        """As many vectors as emotions are wanted."""
        groups, rank, size = self._factor.shape
        along = torch.randn(len(wanted), rank, generator=stream)
        group = wanted if groups > 1 else torch.zeros_like(wanted)
        deviates = torch.zeros(len(wanted), size)
        if self._own.any():  # drawn last, so that nothing else hangs on it
            deviates = torch.randn(len(wanted), size, generator=stream) * self._own[group]
        for number in range(groups):
            deviates[group == number] += along[group == number] @ self._factor[number]
        vectors = self._mean[wanted] + latent_scale * deviates
        return vectors if self._standard is None else self._standard.undo(vectors)


def _privacy(settings: Settings) -> Privacy | None:
    own = settings.gaussian
    return None if own.epsilon == "none" else Privacy(own.epsilon, own.delta)


def _shares(settings: Settings) -> Shares:
    return COVARIANCE if settings.gaussian.noised == "covariance" else MEANS


def _size(settings: Settings, classes: int) -> int:
    """Of a sum: counts, sums of vectors, and the upper half of what they multiply to, where it is asked for."""
    count = settings.gaussian.directions
    return classes * (1 + count) + (count * (count + 1) // 2 if _shares(settings).squares else 0)


def _brought(fitting: Fitting, settings: Settings, hiding: int) -> Floats:
    directions = settings.gaussian.directions
    return told_moments(fitting, _privacy(settings), directions, _shares(settings), hiding).vector()


def _released_by(total: Floats, settings: Settings, space: Space, classes: int) -> dict[str, Tensor]:
    directions = settings.gaussian.directions
    return released(Moments.of_vector(total, classes, directions), space, directions, _shares(settings))


def _fit(fitting: Fitting, settings: Settings) -> dict[str, Tensor]:
    if privacy := _privacy(settings):
        return private_gaussians(fitting, privacy, settings.gaussian.directions, _shares(settings))
    material, own = Material.of(fitting, NAME), settings.gaussian
    values, labels, standard = material.rows.cpu(), material.labels, material.standard
    mean = torch.zeros(fitting.classes, values.shape[1])
    residuals = torch.empty_like(values)
    for emotion in labels.unique().tolist():  # one that the site lacks stays at the mean of nothing: it is not drawn
        here = labels == emotion
        mean[emotion] = values[here].mean(dim=0)
        residuals[here] = values[here] - mean[emotion]
    pairs = [_low_rank(part, own) for part in _groups(residuals, labels, fitting, own)]
    released = {
        "mean": mean,
        "factor": torch.stack([factor for factor, _ in pairs]),
        "deviation": torch.stack([deviation for _, deviation in pairs]),
    }
    return released if standard is None else released | standard.released()


def _groups(residuals: Tensor, labels: Tensor, fitting: Fitting, own: GaussianConfig) -> Iterator[tuple[Tensor, int]]:
    """The residuals that share a covariance, with the degrees of freedom that the means took from them."""
    if own.covariance == "pooled":
        taken = len(labels.unique())
        if len(residuals) - taken < LEAST:
            raise TooFew("too few recordings for a covariance", remedy="give the site more speech")
        yield residuals, taken
        return
    for emotion, name in enumerate(fitting.labels):
        here = labels == emotion
        if 0 < int(here.sum()) < LEAST:
            remedy = "set gaussian.covariance = pooled, which all emotions share"
            raise TooFew("one recording has no covariance of its own", where=name, remedy=remedy)
        yield residuals[here], 1


def _low_rank(group: tuple[Tensor, int], own: GaussianConfig) -> tuple[Tensor, Tensor]:
    """Directions [rank, d] as long as they deviate, and what each number deviates by beside [d]."""
    residuals, taken = group
    count, size = residuals.shape
    factor = torch.zeros(own.rank, size)
    if not count:
        return factor, torch.zeros(size)
    scaled = residuals.double() / (count - taken) ** 0.5
    variance = scaled.square().sum(dim=0)
    rank = min(own.rank, count // PARTS, size)
    if rank:
        squares, turned = torch.linalg.eigh(scaled @ scaled.T)  # of recordings, of which there are fewer than numbers
        along = turned[:, -rank:].T @ scaled
        order = squares[-rank:].argsort(descending=True)
        factor[:rank] = ((1 - own.shrinkage) ** 0.5 * along[order]).float()
    left = (variance - factor.double().square().sum(dim=0)).clamp_min(0)
    return factor, left.sqrt().float()


def _shapes(settings: Settings, space: Space, classes: int) -> Shapes:
    if _privacy(settings):
        return _shapes_of_moments(settings, space, classes)
    groups = 1 if settings.gaussian.covariance == "pooled" else classes
    return _own_shapes(space, classes, groups, settings.gaussian.rank) | standard_shapes(space)


def _shapes_of_moments(settings: Settings, space: Space, classes: int) -> Shapes:
    return _own_shapes(space, classes, 1, settings.gaussian.directions)


def _own_shapes(space: Space, classes: int, groups: int, rank: int) -> dict[str, tuple[int, ...]]:
    size = space.shape[0]
    return {"mean": (classes, size), "factor": (groups, rank, size), "deviation": (groups, size)}


def _numbers(settings: Settings) -> Numbers:
    own = settings.gaussian
    asked = {} if own.epsilon == "none" else {"epsilon": own.epsilon}
    return {"rank": (own.rank, own.directions), "shrinkage": own.shrinkage, "delta": own.delta, **asked}


def _cost(settings: Settings, space: Space, classes: int) -> Cost:
    return Cost(0, 4 * (10_000 + 8 * settings.gaussian.rank) * space.shape[0])


SYNTHESIZER = Synthesizer(
    name=NAME,
    paper="none: a control",
    about="A Gaussian for each emotion: its mean, and a shrunk covariance of low rank.",
    released="a mean an emotion, a few directions in which vectors deviate, and what each number deviates by",
    Settings=Settings,
    spaces=frozenset({Vectors}),
    cost=_cost,
    fit=_fit,
    shapes=_shapes,
    sampler=lambda weights, settings, space, classes, device: GaussianSampler(weights),
    numbers=_numbers,
    privacy=_privacy,
    sums=Sums(_size, _brought, _released_by, _shapes_of_moments),
    private=f"gaussian.epsilon and gaussian.delta: differential privacy for {Privacy.unit}, by {Privacy.mechanism}",
)
