"""The networks of the paper's Table 1, and what makes them fast without changing what they compute.

Must not know how they are trained, nor on what.
"""

from common.networks.acceleration import Acceleration, prepare
from common.networks.discriminator import Discriminator, exchange_head
from common.networks.generator import Generator, generator_shapes, release_weights
from common.networks.layers import learned_weights, load_learned, network_to_hear, norms_of
from common.networks.penalty import scores_and_penalty

__all__ = [
    "Acceleration",
    "Discriminator",
    "Generator",
    "exchange_head",
    "generator_shapes",
    "learned_weights",
    "load_learned",
    "network_to_hear",
    "norms_of",
    "prepare",
    "release_weights",
    "scores_and_penalty",
]
