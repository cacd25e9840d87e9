"""What a recognizer learns from where a protocol says how many samples stand beside the real speech, if any.

Owns the mixture: each utterance and each sample as often as any other. Must not know a protocol.
"""

from dataclasses import dataclass

import torch

from common.features.patches import Batch
from common.seeds import numpy_stream
from common.training.draws import Examples, Labelled, everything


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
