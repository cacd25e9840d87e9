"""The public networks that a tuning may start from: the installation's own, those that a site keeps, and how they look.

Owns where a base is found by its digest and what is unusual about one. Must not know who asked for it. No speech is
read here: a base is looked at with noise alone.
"""

import copy
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from common.config.tree import NetworkConfig
from common.errors import UserError
from common.networks import Discriminator, Generator, exchange_head, learned_weights, load_learned
from common.networks.memory import PATCH_SIDE as SIDE
from common.seeds import torch_stream
from common.training.adam import EPSILON
from common.training.checkpoint import CARD, read_tensors, save_tensors
from common.training.pretrained import SHIPPED, shipped_weights, unpack
from common.training.stages import Pair
from common.wire import Extremes, base_digest, weights_digest

BASES = "bases"
LOOKED_AT = 16
"""Patches of noise with which a base is looked at."""
MANY_ZEROS, LITTLE_VARIETY, SATURATED, MOSTLY, SMALL_GRADIENT = 0.2, 0.02, 0.999, 0.5, 10.0
"""From where on a look is unusual."""
FAINT, FAINT_TO_USUAL = 0.01, 200.0
"""In a gradient that nobody shaped, one weight in a hundred has less than a two-hundredth of the root mean square."""

Weights = Mapping[str, Mapping[str, Tensor]]
"""Generator and discriminator, without the vectors of their norms."""


@dataclass(frozen=True)
class Base:
    """Public networks and the extremes that scale speech for them."""

    weights: Weights
    scaling: Extremes

    @property
    def digest(self) -> str:
        """What a policy lists."""
        return base_digest(weights_digest(self.weights), self.scaling)

    def pair(self, network: NetworkConfig) -> Pair:
        """The networks of these weights; the vectors of their norms are found here, whatever came with them."""
        pair = Pair(Generator(network), Discriminator(network, 1))
        for name, one in pair.named().items():
            load_learned(one, self.weights[name])
        return pair


def read_base(folder: Path) -> Base:
    """The networks in a folder as pre-training or this module wrote it."""
    packed, card = read_tensors(folder)
    groups: dict[str, dict[str, Tensor]] = {"generator": {}, "discriminator": {}}
    for name, value in unpack(packed).items():
        group, _, rest = name.partition("/")
        if group not in groups:
            raise UserError("not the networks of a pre-training", where=folder, remedy=f"it holds {name}")
        groups[group][rest] = value
    if "scaling" not in card or not all(groups.values()):
        raise UserError("not the networks of a pre-training", where=folder, remedy="name a run's folder `pretrained`")
    weights = {group: learned_weights(members) for group, members in groups.items()}
    return Base(weights, Extremes(**card["scaling"]))


@lru_cache(maxsize=1)
def shipped_bases() -> dict[str, Path]:
    """Digest to folder, for the networks that come with this installation."""
    folders = map(shipped_weights, SHIPPED)
    return {read_base(folder).digest: folder for folder in folders}


class Bases:
    """The bases that a site has: its own, kept in its state, and the installation's."""

    def __init__(self, state: Path) -> None:
        self._folder = state / BASES

    def has(self, digest: str) -> bool:
        """Whether a tuning could start from it without its being sent."""
        return (self._folder / digest / CARD).exists() or digest in shipped_bases()

    def keep(self, base: Base) -> None:
        """Store what was sent, so that it need not be sent again."""
        if not self.has(base.digest):
            tensors = {f"{group}/{name}": v for group, members in base.weights.items() for name, v in members.items()}
            save_tensors(self._folder / base.digest, tensors, {"scaling": base.scaling.model_dump(mode="json")})

    def forget_all_but(self, digests: Collection[str]) -> None:
        """Let go of what the site no longer accepts."""
        for folder in self._folder.glob("*"):
            if folder.name not in digests:
                shutil.rmtree(folder, ignore_errors=True)

    def find(self, digest: str) -> Base:
        """The base of this digest; a copy that was damaged here is not it, and goes, so that it is sent again."""
        own = self._folder / digest
        folder = own if (own / CARD).exists() else shipped_bases().get(digest, own)
        try:
            base = read_base(folder)
            if base.digest != digest:
                raise UserError("a stored base is not what it was", where=folder, remedy="ask again to have it sent")
        except UserError:
            shutil.rmtree(own, ignore_errors=True)
            raise
        return base


def gradient_over_epsilon(pair: Pair) -> float:
    """How large a first step's gradient is over noise, in units of Adam's epsilon; of the layer where it is least.

    Adam divides a gradient by its own size and epsilon. Far above epsilon a step tells signs alone; networks made so
    that their gradients fall below it hand over the gradient itself, and with it what it was computed from.
    """
    classes = pair.discriminator.config.classes
    stream = torch_stream(0, "looking at a base")
    noise = 2 * torch.rand(LOOKED_AT, 1, SIDE, SIDE, generator=stream) - 1
    wanted = torch.arange(LOOKED_AT) % classes
    generator, discriminator = copy.deepcopy(pair.generator), exchange_head(pair.discriminator, classes + 1, 0)
    latents = torch.randn(LOOKED_AT, generator.noise, generator=stream)
    made = generator(latents, functional.one_hot(wanted, classes).float())
    targets = torch.cat((wanted, torch.full_like(wanted, classes)))
    functional.cross_entropy(discriminator(torch.cat((noise, made.detach()))), targets).backward()
    least = _sizes(discriminator)
    discriminator.zero_grad()
    functional.cross_entropy(discriminator(made), wanted).backward()
    sizes = torch.stack([*least, *_sizes(generator)])
    return float(sizes.min()) / EPSILON  # of which one that is no number makes none


def _sizes(network: nn.Module) -> list[Tensor]:
    """The root mean square of each layer's gradient, or less where a loud part of it would hide a faint one."""
    gradients = [parameter.grad for parameter in network.parameters() if parameter.ndim > 1]
    return [_size(gradient.flatten()) for gradient in gradients if gradient is not None]


def _size(gradient: Tensor) -> Tensor:
    faint = gradient.abs().kthvalue(max(round(FAINT * len(gradient)), 1)).values
    return torch.minimum(gradient.square().mean().sqrt(), FAINT_TO_USUAL * faint)


def unusual(base: Base, network: NetworkConfig) -> list[str]:
    """What a steward should think about before accepting a base, a line each; the shipped ones have none of it."""
    lines = []
    for group, members in base.weights.items():
        for name, value in members.items():
            if value.ndim > 1 and (share := float((value == 0).float().mean())) > MANY_ZEROS:
                lines.append(f"{group}.{name}: {share:.0%} of the weights are exactly zero; training leaves none so")
    pair = base.pair(network)
    with torch.inference_mode():
        latents = torch.randn(LOOKED_AT, network.noise, generator=torch_stream(1, "looking at a base"))
        made = pair.generator(latents, torch.zeros(LOOKED_AT, network.classes))
    if float(made.std(dim=0).mean()) < LITTLE_VARIETY:
        lines.append("what the generator makes hardly differs from latent to latent")
    if float((made.abs() > SATURATED).float().mean()) > MOSTLY:
        lines.append("what the generator makes lies at the ends of its range")
    gradient = gradient_over_epsilon(pair)
    if not gradient >= SMALL_GRADIENT:
        lines.append(f"a first step's gradient is {gradient:.2g} times Adam's epsilon: steps would copy the gradient")
    return lines
