"""The discriminator of the paper's Table 1; with another head it is the encoder and the recognizer.

Owns the order and sizes of its layers and the exchange of its head. Must not know how it is trained.
"""

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from common.networks.chain import Link, run
from common.networks.generator import FIRST_SIDE, HIDDEN, scaled
from common.networks.layers import Convolution, Linear
from common.seeds import torch_stream
from common.settings import NetworkConfig
from common.space import SIDE

CHANNELS = (1, 64, 64, 128, 128, 256, 256, 512, 512)
"""What goes into the first of eight convolutions, then what comes out of each, at width 1."""


class Discriminator(nn.Module):
    """A patch becomes `outputs` numbers: 1 (critic), N_z (encoder), N_c (recognizer) or N_c + 1.

    Args:
        config: sizes.
        outputs: of its head.
        seed: of the first weights.
        bands: how many bands of a spectrum it tells apart.
    """

    def __init__(self, config: NetworkConfig, outputs: int, *, seed: int = 0, bands: int = SIDE) -> None:
        super().__init__()
        stream = torch_stream(seed, "discriminator")
        self.config = config
        self.bands = bands
        self.leak = config.leak
        channels = [CHANNELS[0], *(scaled(size, config.width) for size in CHANNELS[1:])]
        hidden = scaled(HIDDEN, config.width)
        self.convolutions = nn.ModuleList(
            Convolution(before, after, stream, stride=1 + index % 2)
            for index, (before, after) in enumerate(pairwise(channels))
        )
        self.hidden = Linear(channels[-1] * FIRST_SIDE**2, hidden, stream)
        self.head = new_head(hidden, outputs, seed)

    def forward(self, patches: Tensor) -> Tensor:
        """[batch, 1, 128, 128] -> [batch, outputs], no activation last."""
        return self.head.swiftly(self.embed(patches))

    def embed(self, patches: Tensor) -> Tensor:
        """[batch, 1, 128, 128] -> [batch, hidden]: what the head reads."""
        images = run(self.links(), coarsened(patches, self.bands), self.leak)
        return functional.leaky_relu(self.hidden.swiftly(images.flatten(1)), self.leak)

    def links(self) -> list[Link]:
        """The convolutions as a chain runs them."""
        return [convolution.link() for convolution in cast("list[Convolution]", self.convolutions)]

    def plainly(self, patches: Tensor) -> Tensor:
        """The same scores layer by layer as Table 1 has them, differentiable any number of times."""
        images = coarsened(patches, self.bands)
        for convolution in self.convolutions:
            images = functional.leaky_relu(convolution(images), self.leak)
        rows = functional.leaky_relu(self.hidden(images.flatten(1)), self.leak)
        scores: Tensor = self.head(rows)
        return scores


def coarsened(patches: Tensor, bands: int) -> Tensor:
    """[batch, 1, mels, frames] as only so many bands tell it, drawn at its old size; as it is where that is all.

    >>> coarsened(torch.tensor([[[[0.0], [2.0], [4.0], [6.0]]]]), 2).flatten().tolist()
    [1.0, 2.0, 4.0, 5.0]
    """
    if bands >= patches.shape[2]:
        return patches
    few = functional.adaptive_avg_pool2d(patches, (bands, patches.shape[3]))
    return functional.interpolate(few, size=patches.shape[2:], mode="bilinear")


def new_head(inputs: int, outputs: int, seed: int) -> Linear:
    """A last layer with its own stream, so that the body's first weights do not depend on it."""
    return Linear(inputs, outputs, torch_stream(seed, "head", outputs))


def exchange_head(discriminator: Discriminator, outputs: int, seed: int) -> Discriminator:
    """A copy with a fresh last layer and everything else carried over; the original stays as it is."""
    with torch.device("meta"):
        exchanged = Discriminator(discriminator.config, outputs)
    device = discriminator.head.weight.device
    head = new_head(discriminator.head.weight.shape[1], outputs, seed).to(device)
    carried = {name: value for name, value in discriminator.state_dict().items() if not name.startswith("head.")}
    carried |= {f"head.{name}": value for name, value in head.state_dict().items()}
    exchanged.load_state_dict({name: value.clone() for name, value in carried.items()}, assign=True)
    return exchanged
