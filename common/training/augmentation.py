"""Small changes to patches that leave their emotion alone, shown to a discriminator on real and fake alike.

Owns the changes and their sizes. Must not draw: chances come from outside, so that a step can be replayed. Every
change is differentiable, so that a generator learns through it (Zhao et al. 2020, "Differentiable Augmentation").
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from common.settings import Augmentation

LARGEST_GAIN = 0.1
LARGEST_TILT = 0.2
"""In scaled units, where the whole range of log-mel power is 2; a tilt is this large at the lowest and highest band."""


def augment(patches: Tensor, chances: Mapping[str, Tensor], kinds: Sequence[Augmentation]) -> Tensor:
    """Patches [batch, 1, mels, frames] changed in each kind as its chances [batch] in [0, 1) decide."""
    for kind in kinds:
        if kind == "gain":
            patches = _louder(patches, chances[kind], LARGEST_GAIN)
        else:
            slope = torch.linspace(-LARGEST_TILT, LARGEST_TILT, patches.shape[2], device=patches.device)
            patches = _louder(patches, chances[kind], slope.view(1, 1, -1, 1))
    return patches


def _louder(patches: Tensor, chance: Tensor, most: float | Tensor) -> Tensor:
    """Each patch with a share of `most`, from all of it taken away to all of it added: another room or microphone."""
    share = (chance * 2 - 1).view(-1, 1, 1, 1)
    return (patches + share * most).clamp(-1, 1)
