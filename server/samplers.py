"""A sampler of a release, whichever synthesizer made it.

Owns the way from a card to the registry. Must not know what is drawn.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from common.synthesizers import Sampler
from common.wire import Release, restored_weights
from server.bank import Bank, Banked


def sampler_of(release: Release, base: Mapping[str, Tensor], device: torch.device | None = None) -> Sampler:
    """Ready to be drawn from, on a device or the processor; `base` are the networks that a small one differs from."""
    tuning = release.card.tuning
    place = device or torch.device("cpu")
    weights = restored_weights(tuning, release.released, base)
    sampler: Sampler = tuning.method.sampler(weights, tuning.own, tuning.space, len(tuning.labels), place)
    return sampler


def sampler_in(bank: Bank, banked: Banked, device: torch.device | None = None) -> Sampler:
    """Of a release in a bank."""
    release = bank.load(banked)
    return sampler_of(release, bank.base(release.card.tuning), device)
