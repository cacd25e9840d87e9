"""The exponential moving average of a network's weights: the copy that is released.

Owns the decay and its warm-up. Must not know whose weights they are.
"""

import copy

import torch
from torch import Tensor

from common.networks.generator import Generator
from common.networks.layers import converge_norms

Weights = dict[str, Tensor]


def warmed_decay(decay: float, step: int) -> float:
    """Short at first, so that the untrained weights are soon forgotten.

    >>> warmed_decay(0.999, 0), warmed_decay(0.999, 10**6)
    (0.1, 0.999)
    """
    return min(decay, (1 + step) / (10 + step))


class Average:
    """A running average of a generator's parameters."""

    def __init__(self, network: Generator, decay: float) -> None:
        self._decay = decay
        self._network = network
        self._weights: Weights = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights as they stand after `step`."""
        weight = 1 - warmed_decay(self._decay, step)
        current = [parameter.detach() for parameter in self._network.parameters()]
        torch._foreach_lerp_(list(self._weights.values()), current, weight)

    def network(self) -> Generator:
        """A copy of the network that carries the average; its norms follow from the live ones."""
        averaged = copy.deepcopy(self._network)
        averaged.load_state_dict(self._weights, strict=False)
        converge_norms(averaged)
        return averaged

    def state_dict(self) -> Weights:
        """The averaged weights by name."""
        return dict(self._weights)

    def load_state_dict(self, weights: Weights) -> None:
        """Continue from stored weights."""
        for name, value in self._weights.items():
            value.copy_(weights[name])
