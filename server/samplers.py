"""A sampler of a release, whichever synthesizer made it.

Owns the way from a card to the registry. Must not know where a release lies, nor what is drawn from it.
"""

import torch

from common.synthesizers import Sampler
from common.wire import Release


def sampler_of(release: Release, device: torch.device | None = None) -> Sampler:
    """Ready to be drawn from, on a device or the processor."""
    tuning = release.card.tuning
    place = device or torch.device("cpu")
    sampler: Sampler = tuning.method.sampler(release.released, tuning.own, tuning.space, len(tuning.labels), place)
    return sampler
