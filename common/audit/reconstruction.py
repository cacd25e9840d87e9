"""How well a twin can make an utterance: the least distance to it over the twin's latents.

Owns the score and how it is minimized. Must not know twins or verdicts.

Whoever has a release has its weights, and can look for the latent of each recording; a generator makes best what it was
shown. It is a score for synthesizers whose samples follow from latents by derivatives, as a network's do.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from common.scoring.confusion import Floats
from common.seeds import torch_stream

STEPS, RATE = 100, 0.1
"""Of Adam over latents, from a latent of zeros, the middle of all."""
AT_ONCE = 64
"""Targets in memory together; each has a latent of its own, so that no result hangs on it."""
OWN = 16
"""Samples of the twin itself that must be found again, or nothing follows from what is not found."""


@runtime_checkable
class Decoder(Protocol):
    """A sampler that says how latents become examples."""

    latent: int

    def made(self, latents: Tensor, wanted: Tensor) -> Tensor:
        """Latents [n, latent] and classes [n] -> examples [n, *shape], differentiable in the latents."""
        ...


@dataclass(frozen=True, eq=False)
class Targets:
    """What is to be made: all windows of all utterances, and whose each is."""

    values: Tensor
    owners: NDArray[np.int64]
    labels: NDArray[np.int64]

    def scores(self, decoder: Decoder) -> Floats:
        """Of each utterance: the mean over its windows of the least distance, turned round."""
        wanted = torch.from_numpy(self.labels[self.owners])
        _, least = least_distances(decoder, self.values, wanted)
        return np.asarray(-np.bincount(self.owners, weights=least.double().numpy()) / np.bincount(self.owners))

    def recovered(self, decoder: Decoder, seed: int) -> float:
        """What is left of the distance to samples of the decoder's own, at the median: 0 if all are found again."""
        emotions = torch.from_numpy(np.unique(self.labels))
        wanted = emotions.repeat(-(-OWN // len(emotions)))[:OWN]
        latents = torch.randn(OWN, decoder.latent, generator=torch_stream(seed, "own samples"))
        with torch.no_grad():
            own = decoder.made(latents, wanted)
        first, least = least_distances(decoder, own, wanted)
        return float((least / first.clamp_min(1e-12)).median())


def least_distances(decoder: Decoder, values: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """The mean absolute difference [n] at the start, and the least that was seen on the way."""
    parts = [
        _least(decoder, part.float(), classes)
        for part, classes in zip(values.split(AT_ONCE), wanted.split(AT_ONCE), strict=True)
    ]
    first, least = zip(*parts, strict=True)
    return torch.cat(first), torch.cat(least)


@torch.enable_grad()
def _least(decoder: Decoder, values: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    latents = torch.zeros(len(values), decoder.latent, requires_grad=True)
    optimizer = torch.optim.Adam([latents], lr=RATE)
    first = least = torch.empty(0)
    for step in range(STEPS + 1):
        apart = (decoder.made(latents, wanted) - values).abs().flatten(1).mean(dim=1)
        seen = apart.detach()
        first, least = (seen, seen) if step == 0 else (first, torch.minimum(least, seen))
        optimizer.zero_grad()
        apart.sum().backward()
        optimizer.step()
    return first, least
