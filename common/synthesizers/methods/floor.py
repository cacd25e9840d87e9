"""The floor: the pre-trained generator as it is, and emotions that it was never told of.

Owns nothing but that. A recognizer trained on it learns from patches whose labels are chance, so it marks what a
synthesizer reaches without any emotional speech.
"""

import torch
from torch import Tensor

from common.networks import generator_shapes, release_weights
from common.settings import NetworkConfig, Section
from common.spaces import Patches
from common.synthesizers.methods.eskimez import SYNTHESIZER as TUNED
from common.synthesizers.methods.eskimez import ConditionalSampler, pair_of, reference
from common.synthesizers.synthesizer import Cost, Fitting, Synthesizer, Weights

NO_EMOTION = -1


class Settings(Section):
    """The sizes of the networks alone."""

    network: NetworkConfig = NetworkConfig()


class FloorSampler:
    """Patches of no emotion, whichever is wanted."""

    def __init__(self, weights: Weights, network: NetworkConfig, classes: int, device: torch.device) -> None:
        self._sampler = ConditionalSampler(weights, network, classes, device)

    def sample(self, wanted: Tensor, stream: torch.Generator, latent_scale: float = 1.0) -> Tensor:
        """As many patches as emotions are wanted."""
        return self._sampler.sample(torch.full_like(wanted, NO_EMOTION), stream, latent_scale)


def _fit(fitting: Fitting, settings: Settings) -> dict[str, Tensor]:
    return release_weights(pair_of(fitting.base, settings.network, fitting.classes).generator)


SYNTHESIZER = Synthesizer(
    name="floor",
    paper="none: a control",
    about="The untouched pre-trained generator with random labels: what any synthesizer must rise above.",
    private="any settings: its fit reads no speech",
    released="the pre-trained generator, which has seen no emotional speech",
    Settings=Settings,
    spaces=frozenset({Patches}),
    cost=lambda settings, space, classes: Cost(0, 0),
    fit=_fit,
    shapes=lambda settings, space, classes: generator_shapes(settings.network, classes),
    sampler=lambda weights, settings, space, classes, device: FloorSampler(weights, settings.network, classes, device),
    base=lambda settings, classes: TUNED.base(TUNED.Settings(network=settings.network), classes),
    reference=lambda base, settings, classes: reference(base, settings.network, classes),
    numbers=lambda settings: {
        "width": settings.network.width,
        "latent": settings.network.noise,
        "leak": settings.network.leak,
    },
)
