"""Which tensors each message carries, read off the networks themselves, and how large it may be.

Owns the bridge from a message's settings to names and shapes. Must not know how bytes are checked.
"""

from functools import lru_cache

import torch
from torch import nn

from common.config.tree import NetworkConfig
from common.networks import Discriminator, Generator, generator_shapes, learned_weights
from common.wire.frame import HEADER_LIMIT
from common.wire.messages import Collect, Message, Release, Request, Score, Tune
from common.wire.weights import Shape


def shapes_of(message: Message) -> dict[str, Shape]:
    """The names and shapes that this message must carry, no more and no fewer."""
    match message:
        case Tune(tuning=tuning, shipped=True):
            return base_shapes(tuning.network)
        case Release(card=card):
            return release_shapes(card.tuning.network)
        case Score(scoring=scoring):
            return recognizer_shapes(scoring.network)
        case _:
            return {}


@lru_cache(maxsize=8)
def base_shapes(network: NetworkConfig) -> dict[str, Shape]:
    """Generator and critic as pre-training leaves them; the vectors of their norms are found where they arrive."""
    with torch.device("meta"):
        return _shapes("generator", Generator(network)) | _shapes("discriminator", Discriminator(network, 1))


@lru_cache(maxsize=8)
def release_shapes(network: NetworkConfig) -> dict[str, Shape]:
    """The generator with its norms folded in."""
    return {f"generator.{name}": shape for name, shape in generator_shapes(network).items()}


@lru_cache(maxsize=8)
def recognizer_shapes(network: NetworkConfig) -> dict[str, Shape]:
    """The discriminator's body with an output a label."""
    with torch.device("meta"):
        return _shapes("recognizer", Discriminator(network, network.classes))


def largest_reply(request: Request) -> int:
    """Bytes: the generator where one may come, and 64 KiB beside it."""
    if not isinstance(request, Tune | Collect):
        return HEADER_LIMIT
    shapes = release_shapes(request.tuning.network).values()
    return HEADER_LIMIT + sum(request.tuning.precision.size(shape) for shape in shapes)


def _shapes(group: str, module: nn.Module) -> dict[str, Shape]:
    return {f"{group}.{name}": tuple(value.shape) for name, value in learned_weights(module.state_dict()).items()}
