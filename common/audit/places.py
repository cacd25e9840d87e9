"""Where utterances and samples are compared: few numbers, in units of public speech.

Owns the places of vectors and of patches. Must not know whom they are used against.

A place may know public speech alone, for whoever attacks a release knows no more. A set of vectors that comes without
public ones is placed by what is audited itself.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from common.errors import UserError
from common.features.patches import windows
from common.features.public import public_vectors
from common.scoring.confusion import Floats
from common.seeds import torch_stream
from common.settings import NetworkConfig
from common.spaces import Space, Vectors
from common.training.likeness import STATISTICS
from common.training.pretrained import SHIPPED, learned_in, shipped_weights
from common.training.standard import Standard

DIRECTIONS = 32
LEAST = 1e-3
"""Of the largest deviation: a direction that deviates less counts as if it did so."""
HOP = 64
"""Frames between the windows of an utterance that is placed as patches."""
DRAWN, AT_ONCE = 512, 128
"""Public patches by which statistics are placed."""
NO_EMOTION = -1
Place = Callable[[Tensor], Floats]
"""Examples of a space -> [n, d]."""


def place_of(space: Space, own: Tensor) -> Place:
    """For a space; `own` are examples of it that are audited, used where nothing public comes with the set."""
    if not isinstance(space, Vectors):
        return _place_of_patches()
    try:
        public = public_vectors(space.set)
    except UserError:
        public = own
    standard = Standard.of(public)
    alike = standard.apply(public)
    whitened = _Whitened(alike.numpy())
    if space.scale == "raw":
        return lambda values: whitened(standard.apply(values).numpy())
    return lambda values: whitened(values.numpy())


def windows_of(space: Space, utterances: list[Tensor]) -> tuple[Tensor, NDArray[np.int64]]:
    """Examples of whole utterances, and whose each is: one a vector, several windows where they are pictures."""
    if isinstance(space, Vectors):
        return torch.stack(utterances), np.arange(len(utterances))
    cut = [windows(one, HOP) for one in utterances]
    return torch.cat(cut), np.repeat(np.arange(len(cut)), [len(one) for one in cut])


class _Whitened:
    """The directions in which public examples deviate most, each in units of how much."""

    def __init__(self, public: NDArray[np.float32]) -> None:
        self._centre = public.mean(axis=0, dtype=np.float64)
        _, deviations, directions = np.linalg.svd(public - self._centre, full_matrices=False)
        count = min(DIRECTIONS, len(deviations))
        deviations = deviations / np.sqrt(max(len(public) - 1, 1))
        self._turn = (directions[:count] / deviations[:count, None].clip(min=LEAST * deviations[0] + 1e-12)).T

    def __call__(self, values: NDArray[np.float32]) -> Floats:
        """[n, size] -> [n, directions]."""
        return np.asarray((values - self._centre) @ self._turn, dtype=np.float64)


@lru_cache(maxsize=1)
def _place_of_patches() -> Place:
    """Statistics of patches that hide what is said, in units of how what shipped networks make varies."""
    from common.networks import release_weights
    from common.synthesizers.methods.eskimez import ConditionalSampler, pair_of

    weights, card = learned_in(shipped_weights(SHIPPED[0]))
    stored = card["settings"]["network"]
    network = NetworkConfig.model_validate({name: stored[name] for name in stored if name != "emotions"})
    classes = len(stored["emotions"])
    generator = pair_of(weights, network, classes).generator
    sampler = ConditionalSampler(release_weights(generator), network, classes)
    drawn = sampler.sample(torch.full((DRAWN,), NO_EMOTION), torch_stream(0, "public patches"))
    statistics = _statistics(drawn)
    alike = Standard.of(statistics)
    whitened = _Whitened(alike.apply(statistics).numpy())
    return lambda values: whitened(alike.apply(_statistics(values)).numpy())


@torch.inference_mode()
def _statistics(patches: Tensor) -> Tensor:
    parts = patches.float().split(AT_ONCE)
    return torch.cat([torch.cat([one(part) for one in STATISTICS.values()], dim=1) for part in parts]).clone()
