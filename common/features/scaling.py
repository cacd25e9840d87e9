"""The constants that carry log-mels to [-1, 1], and back.

Owns the two numbers and the line between them. Must not know which corpus they came from: it is the public one of
pre-training, so that nothing leaks through an extreme.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from common.errors import UserError


@dataclass(frozen=True)
class Scaling:
    """The log-mel levels that become -1 and 1.

    >>> Scaling(-16.0, 4.0).apply(torch.tensor([-20.0, -6.0, 4.0]))
    tensor([-1.,  0.,  1.])
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not -np.inf < self.low < self.high < np.inf:
            raise UserError(f"a scaling from {self.low} to {self.high} has no width", remedy="is the speech silent?")

    @classmethod
    def of(cls, log_mels: Iterable[NDArray[np.float16]]) -> Self:
        """The extremes of some features, an utterance in memory at a time."""
        extremes = [torch.tensor(log_mel).float().aminmax() for log_mel in log_mels]
        if not extremes:
            raise UserError("no speech to take extremes from")
        lows, highs = zip(*extremes, strict=True)
        return cls(float(torch.stack(lows).min()), float(torch.stack(highs).max()))

    def apply(self, log_mel: Tensor | NDArray[np.float16]) -> Tensor:
        """Scale, and clamp what a louder or softer corpus has beyond the extremes."""
        levels = torch.tensor(log_mel) if isinstance(log_mel, np.ndarray) else log_mel
        scaled = levels.to(torch.float32, copy=True)  # one allocation: a batch's fresh pages cost more than its sums
        return scaled.sub_(self.low).mul_(2 / (self.high - self.low)).sub_(1).clamp_(-1, 1)

    def invert(self, patches: Tensor) -> Tensor:
        """Log-mels of scaled patches."""
        return (patches + 1) * ((self.high - self.low) / 2) + self.low


def needed(scaling: Scaling | None) -> Scaling:
    """The scaling that patches cannot do without; vectors have none."""
    if scaling is None:
        raise ValueError("patches are scaled by extremes")
    return scaling
