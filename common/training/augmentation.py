"""Small changes to patches that leave their emotion alone, shown to a discriminator on real and fake alike.

Owns the changes and their sizes. Must not draw: chances come from outside, so that a step can be replayed. Every
change is differentiable, so that a generator learns through it (Zhao et al. 2020, "Differentiable Augmentation").
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from common.settings import Augmentation

CHANCES = (6, 1)
"""Uniform numbers a patch needs: roll, place and length of a time mask and of a frequency mask, gain; and for a tilt.

Drawn group after group: a kind that is added later leaves what was drawn before it, and so older runs, as they were.
"""
LONGEST_MASK = 0.25
LARGEST_GAIN = 0.1
LARGEST_TILT = 0.2
"""In scaled units, where the whole range of log-mel power is 2; a tilt is this large at the lowest and highest band."""
SILENCE = -1.0


def augment(patches: Tensor, chances: Tensor, kinds: Sequence[Augmentation]) -> Tensor:
    """Patches [batch, 1, mels, frames] changed as `chances` [batch, sum(CHANCES)] in [0, 1) decide."""
    for kind in kinds:
        if kind == "roll":
            patches = _roll(patches, chances[:, 0])
        elif kind == "time_mask":
            patches = _mask(patches, chances[:, 1], chances[:, 2], dimension=3)
        elif kind == "frequency_mask":
            patches = _mask(patches, chances[:, 3], chances[:, 4], dimension=2)
        elif kind == "gain":
            patches = _louder(patches, chances[:, 5], LARGEST_GAIN)
        else:
            slope = torch.linspace(-LARGEST_TILT, LARGEST_TILT, patches.shape[2], device=patches.device)
            patches = _louder(patches, chances[:, 6], slope.view(1, 1, -1, 1))
    return patches


def _louder(patches: Tensor, chance: Tensor, most: float | Tensor) -> Tensor:
    """Each patch with a share of `most`, from all of it taken away to all of it added: another room or microphone."""
    share = (chance * 2 - 1).view(-1, 1, 1, 1)
    return (patches + share * most).clamp(-1, 1)


def _roll(patches: Tensor, shift: Tensor) -> Tensor:
    """Each patch turned round in time by its share of its length."""
    frames = patches.shape[3]
    start = (shift * frames).long().view(-1, 1, 1, 1)
    source = (torch.arange(frames, device=patches.device) + start) % frames
    return patches.gather(3, source.expand_as(patches))


def _mask(patches: Tensor, place: Tensor, length: Tensor, dimension: int) -> Tensor:
    """A stretch of each patch set to silence."""
    size = patches.shape[dimension]
    shape = [-1, 1, 1, 1]
    span = (length * LONGEST_MASK * size).view(shape)
    start = place.view(shape) * (size - span)
    shape[dimension] = size
    shape[0] = 1
    position = torch.arange(size, device=patches.device).view(shape)
    hidden = (position >= start) & (position < start + span)
    return patches.masked_fill(hidden, SILENCE)
