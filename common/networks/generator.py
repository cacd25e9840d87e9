"""The generator of the paper's Table 1, and the weights of it that are released.

Owns the order and sizes of its layers. Must not know how it is trained.
"""

from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from types import MappingProxyType
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from common.networks.chain import run
from common.networks.layers import Convolution, Layer, Linear
from common.seeds import torch_stream
from common.settings import NetworkConfig

CHANNELS = (512, 512, 512, 256, 256, 128, 128, 64, 64, 1)
"""What goes into the first of nine convolutions, then what comes out of each, at width 1."""
HIDDEN = 4096
FIRST_SIDE = 8
CLASSES = 4
UPSAMPLED = (2, 4, 6, 8)
"""Convolutions, counted from zero, that nearest-neighbour upsampling comes before: it follows every second one."""


def scaled(size: int, width: float) -> int:
    """A size of Table 1 at this width."""
    return round(size * width)


class Generator(nn.Module):
    """A latent and a condition become a patch in [-1, 1].

    Args:
        config: sizes.
        classes: numbers in a condition, N_c; the paper has four emotions.
        normalized: False for the released weights, which carry their norm folded in.
        seed: of the first weights.
    """

    def __init__(
        self, config: NetworkConfig, *, classes: int = CLASSES, normalized: bool = True, seed: int = 0
    ) -> None:
        super().__init__()
        stream = torch_stream(seed, "generator")
        self.leak = config.leak
        self.gain = 1.0  # what a condition is multiplied by
        self.noise = config.noise
        self.classes = classes
        channels = [*(scaled(size, config.width) for size in CHANNELS[:-1]), CHANNELS[-1]]
        hidden = scaled(HIDDEN, config.width)
        sizes = (config.noise + classes, hidden, channels[0] * FIRST_SIDE**2)
        self.linears = nn.ModuleList(
            Linear(before, after, stream, normalized=normalized) for before, after in pairwise(sizes)
        )
        self.convolutions = nn.ModuleList(
            Convolution(before, after, stream, upsampled=index in UPSAMPLED, normalized=normalized)
            for index, (before, after) in enumerate(pairwise(channels))
        )

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        """[batch, N_z] and [batch, N_c] -> [batch, 1, 128, 128]."""
        rows = torch.cat((latent, self.gain * condition), dim=1)
        for linear in cast("list[Linear]", self.linears):
            rows = functional.leaky_relu(linear.swiftly(rows), self.leak)
        images = rows.view(len(rows), -1, FIRST_SIDE, FIRST_SIDE)
        *inner, last = cast("list[Convolution]", self.convolutions)
        images = run([convolution.link() for convolution in inner], images, self.leak)
        return torch.tanh(last.to_pixels(images))

    @torch.no_grad()
    def forget_conditions(self) -> None:
        """Give every condition the same patch, the one of no condition: training without one left chance weights."""
        first = cast("Linear", self.linears[0])
        first.weight[:, self.noise :] = 0
        if first.norm is not None:
            first.norm.converge(first.weight)


@torch.no_grad()
def release_weights(generator: Generator) -> dict[str, Tensor]:
    """The weights that leave a site: divided by their norms, the condition's multiplied by its gain, contiguous.

    They load into `Generator(config, normalized=False)`.
    """
    layers = {name: layer for name, layer in generator.named_modules() if isinstance(layer, Layer)}
    weights = {f"{name}.weight": layer.normed_weight() for name, layer in layers.items()}
    weights |= {f"{name}.bias": layer.bias for name, layer in layers.items()}
    released = {name: value.detach().clone(memory_format=torch.contiguous_format) for name, value in weights.items()}
    released["linears.0.weight"][:, generator.noise :] *= generator.gain
    return released


@cache  # each letter is held against them
def generator_shapes(config: NetworkConfig, classes: int = CLASSES) -> Mapping[str, tuple[int, ...]]:
    """Names and shapes of a release, without building one."""
    with torch.device("meta"):
        release = Generator(config, classes=classes, normalized=False).state_dict()
    return MappingProxyType({name: tuple(value.shape) for name, value in release.items()})
