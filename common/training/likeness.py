"""How far made speech is from real speech of the same emotion, in a sketch that hides what is said.

Owns the sketch and the distance. Must not know networks or stages. A discriminator that is still learning emotions
lets a generator drift: each emotion gets a loudness and a colour of its own, and far less variety than speech has.
This distance says so from the first step.
"""

import torch
from torch import Tensor
from torch.nn import functional

BANDS = 16
STRETCHES = 32
"""Of a patch in time, between which a band's loudness may vary."""
SMALLEST = 1e-6
"""Added to squares, for a root has no slope at zero."""


def sketch(patches: Tensor) -> Tensor:
    """[batch, 1, mels, frames] -> [batch, 2 * BANDS]: how loud each band is, and how much that varies in time."""
    coarse = functional.adaptive_avg_pool2d(patches, (BANDS, STRETCHES))[:, 0]
    return torch.cat((coarse.mean(dim=2), coarse.std(dim=2)), dim=1)


def energy_distance(real: Tensor, labels: Tensor, made: Tensor, wanted: Tensor) -> Tensor:
    """Of the sketches of patches, within each emotion (Szekely & Rizzo 2013); zero on average where they are alike.

    Unbiased however few patches an emotion has in a batch: a patch is never compared with itself.
    """
    real, made = sketch(real), sketch(made)
    between = _mean(_distances(made, real), _same(wanted, labels))
    return 2 * between - _within(made, wanted) - _within(real, labels)


def _within(sketches: Tensor, emotions: Tensor) -> Tensor:
    others = 1 - torch.eye(len(sketches), device=sketches.device)
    return _mean(_distances(sketches, sketches), _same(emotions, emotions) * others)


def _distances(first: Tensor, second: Tensor) -> Tensor:
    return ((first[:, None] - second[None]).square().sum(dim=2) + SMALLEST).sqrt()


def _same(first: Tensor, second: Tensor) -> Tensor:
    return (first[:, None] == second[None]).float()


def _mean(values: Tensor, counted: Tensor) -> Tensor:
    """Of those that count; zero where none does."""
    return (values * counted).sum() / counted.sum().clamp(min=1)
