"""Examples that are at hand whole: rows of their own, or two sources as if they were one.

Owns the mixture: each example as often as any other. Must not know whence they come.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from common.features.patches import Batch
from common.seeds import numpy_stream
from common.training.draws import Examples, Labelled, everything


@dataclass(frozen=True)
class Rows:
    """Examples, each as likely as any other."""

    values: Tensor
    labels: Tensor
    seed: int

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, step: int, size: int, stream: str) -> Batch:
        """The same batch for the same step and stream."""
        chosen = torch.from_numpy(numpy_stream(self.seed, stream, step).integers(len(self), size=size))
        return Batch(self.values[chosen], self.labels[chosen])

    def everything(self) -> Batch:
        """Each once."""
        return Batch(self.values, self.labels)


@dataclass(frozen=True)
class Together:
    """Two sources, of so many examples each, as if they were one."""

    one: Examples
    other: Examples
    sizes: tuple[int, int]
    seed: int

    def batch(self, step: int, size: int, stream: str) -> Batch:
        """The same batch for the same step and stream."""
        share = self.sizes[0] / sum(self.sizes)
        first = int(numpy_stream(self.seed, "together", stream, step).binomial(size, share))
        return _joined(self.one.batch(step, first, stream), self.other.batch(step, size - first, stream))

    def everything(self) -> Batch:
        """Each example of both once."""
        return _joined(everything(self.one), everything(self.other))


def _joined(*parts: Labelled) -> Batch:
    values, labels = zip(*((part.values, part.labels) for part in parts), strict=True)
    return Batch(torch.cat(values), torch.cat(labels))
