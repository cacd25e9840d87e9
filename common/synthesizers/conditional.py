"""The paper's synthesizer: a pre-trained pair is tuned, its generator is released and asked for one emotion a latent.

A generator that was pre-trained and not yet tuned is asked for none: class -1, whose condition is zero.

Owns how latents and conditions become patches. Must not know the stages of training, which it only calls.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from common.config.tree import Config, NetworkConfig
from common.networks import Generator, release_weights
from common.networks.acceleration import prepare
from common.synthesizers.synthesizer import Speech, Synthesizer, Weights
from common.training.phases import Surroundings
from common.training.stages import Pair, finetune

AT_ONCE = 64
"""Patches in one forward: few enough for a small machine, and the same everywhere, since sums depend on it."""


class ConditionalSampler:
    """A generator as it was released: its weights carry their spectral norm folded in."""

    def __init__(self, weights: Weights, network: NetworkConfig, device: torch.device | None = None) -> None:
        self._device = device or torch.device("cpu")
        self._network = network
        with torch.device("meta"):
            generator = Generator(network, normalized=False)
        generator.load_state_dict({name: value.float() for name, value in weights.items()}, assign=True)
        self._generator = prepare(generator, self._device).requires_grad_(False)

    def sample(self, wanted: Tensor, stream: torch.Generator, latent_scale: float = 1.0) -> Tensor:
        """Patches of the wanted emotions; latents are drawn on the CPU so that every device sees the same."""
        latents = latent_scale * torch.randn(len(wanted), self._network.noise, generator=stream)
        return self.decode(latents, wanted)

    def decode(self, latents: Tensor, wanted: Tensor) -> Tensor:
        """Patches [n, 1, 128, 128] of given latents [n, N_z], which may repeat under several emotions."""
        return torch.cat(list(self._forwards(latents, wanted)))

    @torch.inference_mode()
    def _forwards(self, latents: Tensor, wanted: Tensor) -> Iterator[Tensor]:
        conditions = functional.one_hot(wanted + 1, 1 + self._network.classes)[:, 1:].float()
        for latent, condition in zip(latents.split(AT_ONCE), conditions.split(AT_ONCE), strict=True):
            yield self._generator(latent.to(self._device), condition.to(self._device)).float().cpu()


def _fit(speech: Speech, config: Config, seed: int, around: Surroundings) -> Pair:
    return finetune(speech.base, speech.patches(seed, True), config, seed, around)


CONDITIONAL = Synthesizer(
    name="conditional",
    paper="Eskimez et al., Interspeech 2020",
    released="the tuned generator",
    about="A conditional GAN, pre-trained on public speech and tuned to emotional speech under one-hot conditions.",
    settings=lambda config: {"finetuning": config.finetuning.model_dump(mode="json")},
    steps=lambda config: config.finetuning.iterations,
    fit=_fit,
    release=lambda pair: release_weights(pair.generator),
    sampler=ConditionalSampler,
)
