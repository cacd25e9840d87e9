"""The floor: the pre-trained generator as it is, and emotions that it was never told of.

Owns nothing but that. A recognizer trained on it learns from patches whose labels are chance, so it marks what a
synthesizer reaches without any emotional speech.
"""

import torch
from torch import Tensor

from common.networks import release_weights
from common.settings import NetworkConfig
from common.synthesizers.conditional import ConditionalSampler
from common.synthesizers.synthesizer import Synthesizer, Weights

NO_EMOTION = -1


class FloorSampler:
    """Patches of no emotion, whichever is wanted."""

    def __init__(self, weights: Weights, network: NetworkConfig, device: torch.device | None = None) -> None:
        self._sampler = ConditionalSampler(weights, network, device)

    def sample(self, wanted: Tensor, stream: torch.Generator, latent_scale: float = 1.0) -> Tensor:
        """As many patches as emotions are wanted."""
        return self._sampler.sample(torch.full_like(wanted, NO_EMOTION), stream, latent_scale)


FLOOR = Synthesizer(
    name="floor",
    paper="none: a control",
    released="the pre-trained generator, which has seen no emotional speech",
    about="The untouched pre-trained generator with random labels: what any synthesizer must rise above.",
    settings=lambda config: {},
    steps=lambda config: 0,
    fit=lambda speech, config, seed, around: speech.base,
    release=lambda pair: release_weights(pair.generator),
    sampler=FloorSampler,
)
