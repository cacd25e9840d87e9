"""The scoring attack: a server asks who is in the data, and with which label, by the counts that a scoring tells.

Owns the hostile recognizer and how its counts are read. Must not know any site.

How it works. The server has a recording from elsewhere and wonders whether the site holds it. A "recognizer" whose
hidden units are matched filters for that recording says "angry" when it hears it, and "neutral" whatever else it
hears. One count in the column of "angry" then means that the recording is there; the row tells its label. Three
recordings fit into one recognizer of four classes. The filter is whitened by public speech, so that other voices saying
the same sentence stay below its threshold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from common.networks import Discriminator
from common.settings import EMOTIONS, NetworkConfig
from tests.attacks.reading import copying

SIDE = 32
"""Of the picture that the filter is matched to; fits networks from a sixteenth of the paper's width on."""
ENOUGH = 0.6
"""Of the candidate's own answer: a recording that answers with less is another one."""
DAMPING = 0.02
"""Of the whitening, as a share of public speech's mean square: else the filter would follow chance directions."""
SURE = 0.2
"""How much more "none of them" weighs than silence of the filters."""


@dataclass(frozen=True)
class Public:
    """What the attacker knows of speech as such: features [n, SIDE * SIDE] of other people's recordings."""

    network: NetworkConfig
    mean: Tensor
    around: Tensor

    @classmethod
    def of(cls, network: NetworkConfig, patches: Tensor) -> "Public":
        """From patches [n, 1, 128, 128], as networks of these sizes see them."""
        seen = _features(_body(network), patches)
        return cls(network, seen.mean(dim=0), seen - seen.mean(dim=0))


@torch.no_grad()
def oracle(candidates: Sequence[Tensor], public: Public) -> Discriminator:
    """A recognizer that says class 1, 2, 3 of its first, second, third candidate [1, 1, 128, 128], 0 of all else."""
    network = _body(public.network)
    for layer in (network.hidden, network.head):
        layer.weight.zero_()
        layer.bias.zero_()
    answers = []
    for unit, patch in enumerate(candidates):
        found = _features(network, patch)[0] - public.mean
        network.hidden.weight[unit, : SIDE**2] = _whitened(found, public.around)
        network.head.weight[unit + 1, unit] = 1.0
        answers.append(float(network.hidden.weight[unit, : SIDE**2] @ found))
    for layer in (network.hidden, network.head):
        layer.norm.converge(layer.weight)
    # The site divides a matrix by its norm and leaves the bias: a bias that is divided too keeps thresholds in place.
    norm = float(network.hidden.norm.sigma(network.hidden.weight))
    for unit, answer in enumerate(answers):
        ordinary = float(network.hidden.weight[unit, : SIDE**2] @ public.mean)
        network.hidden.bias[unit] = -(ordinary + ENOUGH * answer) / norm
        network.head.bias[unit + 1] = network.leak * ENOUGH * answer / norm  # what an ordinary voice leaks
    network.head.bias[0] = SURE
    return network


def _body(config: NetworkConfig) -> Discriminator:
    network = Discriminator(config, len(EMOTIONS), seed=1)
    with torch.no_grad():
        copying(network, SIDE, faint=1.0)
    return network


@torch.no_grad()
def _features(network: Discriminator, patches: Tensor) -> Tensor:
    images = patches
    for convolution in network.convolutions:
        images = functional.leaky_relu(convolution(images), network.leak)
    return images.flatten(1)[:, : SIDE**2]


def _whitened(direction: Tensor, around: Tensor) -> Tensor:
    """The direction in which the candidate stands out from public speech, of length one."""
    damping = DAMPING * around.square().sum() / len(around)
    inner = around @ around.t() + damping * torch.eye(len(around))
    filter_ = direction - around.t() @ torch.linalg.solve(inner, around @ direction)
    return filter_ / filter_.norm()


def heard(counts: Sequence[Sequence[int]], row: int, candidate: int) -> bool:
    """Whether a matrix says that a candidate is there; its true label, which the attacker knows, is the row."""
    return counts[row][candidate + 1] > 0
