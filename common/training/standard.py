"""Mean and deviation of vectors: how a model that is handed raw numbers makes them alike, and makes them raw again.

Owns that, and the form in which both leave with a release. Must not know a model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from common.spaces import Space, Vectors

MEAN, DEVIATION = "standard.mean", "standard.deviation"
FARTHEST = 10.0
"""Deviations from the mean beyond which a number tells no more: a ratio of two small ones can be anything."""
LEAST = 1e-3
"""Of a mean: a number that varies by less counts as constant."""


@dataclass(frozen=True)
class Standard:
    """Of each number of a vector."""

    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, rows: Tensor) -> Self:
        """Of these rows [n, size].

        A constant number keeps a deviation, so that it is zero when applied and itself when undone.

        >>> Standard.of(torch.tensor([[1.0, 7.0], [3.0, 7.0]])).apply(torch.tensor([[3.0, 7.0]]))
        tensor([[1., 0.]])
        """
        exact = rows.double()
        mean, deviation = exact.mean(dim=0), exact.std(dim=0, correction=0)
        least = (LEAST * mean.abs()).clamp_min(1e-12)
        return cls(mean.float(), torch.where(deviation > least, deviation, least.clamp_min(LEAST)).float())

    def apply(self, rows: Tensor) -> Tensor:
        """Raw rows in deviations from the mean."""
        return ((rows - self.mean) / self.deviation).clamp(-FARTHEST, FARTHEST)

    def undo(self, rows: Tensor) -> Tensor:
        """Raw rows from deviations."""
        return rows * self.deviation + self.mean

    def to(self, device: torch.device) -> "Standard":
        """The same, there."""
        return Standard(self.mean.to(device), self.deviation.to(device))

    def released(self) -> dict[str, Tensor]:
        """As they leave: the mean in deviations and the deviation as its logarithm.

        Raw numbers run from thousandths to millions, and half precision ends at 65504.
        """
        return {MEAN: self.mean / self.deviation, DEVIATION: self.deviation.log()}

    @classmethod
    def received(cls, weights: Mapping[str, Tensor]) -> Self | None:
        """From a release, if it has them."""
        if MEAN not in weights:
            return None
        deviation = weights[DEVIATION].float().exp()
        return cls(weights[MEAN].float() * deviation, deviation)


def standard_for(space: Space, rows: Tensor) -> Standard | None:
    """What a model needs in a space whose numbers are raw; in others they have been made alike before."""
    return Standard.of(rows) if is_raw(space) else None


def is_raw(space: Space) -> bool:
    """Whether the numbers of this space are as they were measured."""
    return isinstance(space, Vectors) and space.scale == "raw"


def standard_shapes(space: Space) -> dict[str, tuple[int, ...]]:
    """Names and shapes of what leaves, or is kept, beside a model's own weights."""
    return {MEAN: space.shape, DEVIATION: space.shape} if is_raw(space) else {}
