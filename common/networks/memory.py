"""How much memory a stage of training takes, known before it starts.

Owns the arithmetic and the refusal. Must not know what a stage does, only what it keeps: weights, gradients, Adam's two
moments, the copy of the weights that it was given, and the pictures between layers until they have been differentiated.
All are counted in fp32, since whoever asks does not know the machine's number format; bf16 takes less.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import cast

import psutil
import torch
from torch import nn

from common.errors import UserError
from common.networks.discriminator import Discriminator
from common.networks.generator import FIRST_SIDE, Generator
from common.networks.layers import Convolution
from common.settings import NetworkConfig
from common.space import SIDE

FLOAT = 4
COPIES = 7
"""Of each weight: itself, gradient, two moments, the average, the network that was given, the base it was read from."""
SCRATCH = 0.15e9
"""What the kernels work in."""
AUTOENCODER_SHOWS, CRITIC_SHOWS, TUNING_SHOWS, RECOGNIZER_SHOWS = 1, 7, 3, 1
"""Times the batch that a discriminator holds at once: real and fake, their gradients, and under a critic's penalty the
interpolates twice over and their adjoint."""


@cache  # a plan asks for each of its units
def pair_memory(network: NetworkConfig, batch: int, shows: int, classes: int) -> int:
    """Bytes that training a generator against a discriminator takes at its peak, in a process that has loaded torch."""
    with torch.device("meta"):
        generator, discriminator = Generator(network, classes=classes), Discriminator(network, classes + 1)
    pictures = shows * _outputs(discriminator) + _outputs(generator)
    return _bytes([generator, discriminator], batch * pictures)


@cache
def recognizer_memory(network: NetworkConfig, batch: int, classes: int) -> int:
    """The same for a discriminator's body alone."""
    with torch.device("meta"):
        recognizer = Discriminator(network, classes)
    return _bytes([recognizer], batch * RECOGNIZER_SHOWS * _outputs(recognizer))


def dense_memory(networks: Sequence[nn.Module], numbers: int) -> int:
    """The same for dense networks that hold so many numbers between layers, the rows that they learn from included."""
    return _bytes(networks, numbers)


def _bytes(trained: Sequence[nn.Module], pictures: int) -> int:
    weights = sum(parameter.numel() for module in trained for parameter in module.parameters())
    return int(FLOAT * (COPIES * weights + pictures) + SCRATCH)


def require_memory(what: str, needed: int, device: torch.device) -> None:
    """Refuse, with advice, to start what this machine cannot hold."""
    free = available_memory(device)
    if needed <= free:
        return
    place = "on the GPU" if device.type == "cuda" else "in memory"
    raise UserError(
        f"{what} needs {needed / 1e9:.1f} GB {place}, {free / 1e9:.1f} GB are free",
        remedy="halve network.width (an eighth is the preset small), lower the batch, or use a larger machine",
    )


def available_memory(device: torch.device, container: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes that could be taken now: of the GPU, or of RAM within what a container allows."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    free, limit = int(psutil.virtual_memory().available), container / "memory.max"
    if limit.is_file() and (allowed := limit.read_text().strip()) != "max":
        free = min(free, int(allowed) - _held(container))
    return free


def _held(container: Path) -> int:
    """Of a container's memory, without the copies of files that Linux lets go when somebody asks."""
    figures = dict(line.split() for line in (container / "memory.stat").read_text().splitlines())
    return int((container / "memory.current").read_text()) - int(figures.get("inactive_file", 0))


def _outputs(network: Generator | Discriminator) -> int:
    """Numbers that the convolutions of a network put out for one patch."""
    side = FIRST_SIDE if isinstance(network, Generator) else SIDE
    total = 0
    for convolution in cast("list[Convolution]", network.convolutions):
        side = side * (2 if convolution.upsampled else 1) // convolution.stride
        total += len(convolution.weight) * side**2
    return total
