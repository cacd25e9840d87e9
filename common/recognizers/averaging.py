"""Federated averaging of the dense network on sites' real vectors: what somebody would pick instead of a synthesizer.

Owns the rounds (McMahan et al. 2017) and what they cost. Must not know a federation: sites are lists of examples, and
nothing here is sent. Each round releases of every site a network that was trained on its speech.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from common.networks.perceptron import Perceptron
from common.recognizers.methods.dnn import RECOGNIZER as DENSE
from common.recognizers.methods.dnn import USUAL, Settings, untrained
from common.seeds import derive_seed, torch_stream
from common.spaces import Space
from common.training.adam import Adam
from common.training.draws import Labelled
from common.training.standard import Standard, is_raw

EPOCHS = 2
"""Of a site in a round."""
BATCH = 16
"""Of some seventy vectors: five steps an epoch."""
BYTES = 4
"""Of a number."""


@dataclass(frozen=True)
class Leaving:
    """What averaging takes from each site."""

    releases: int
    bytes: int


def leaving(settings: Settings, space: Space, classes: int, rounds: int) -> Leaving:
    """A network a round; where numbers are raw, the mean and deviation before them."""
    numbers = sum(math.prod(shape) for shape in DENSE.shapes(settings, space, classes).values())
    scale = 2 * space.shape[0] if is_raw(space) else 0
    return Leaving(rounds + (scale > 0), BYTES * (rounds * (numbers - scale) + scale))


def averaged(
    sites: Sequence[Labelled], settings: Settings, space: Space, classes: int, rounds: int, *, seed: int
) -> dict[str, Tensor]:
    """The weights after so many rounds, in the form of the dense network's own."""
    *_, last = each_round(sites, settings, space, classes, rounds, seed=seed)
    return last.shared


@dataclass(frozen=True)
class Round:
    """What each site sends in a round, and what all of it comes to."""

    told: list[dict[str, Tensor]]
    shared: dict[str, Tensor]


def each_round(
    sites: Sequence[Labelled], settings: Settings, space: Space, classes: int, rounds: int, *, seed: int
) -> Iterator[Round]:
    """One after another; at first what all start from, which nobody has sent."""
    every = torch.cat([site.values for site in sites])
    standard = Standard.of(every) if is_raw(space) else None
    network = untrained(settings, space, classes, seed=derive_seed(seed, "averaging"))
    shared = {name: value.clone() for name, value in network.state_dict().items()}
    scale = {} if standard is None else standard.released()
    shares = [len(site.labels) / len(every) for site in sites]
    yield Round([], shared | scale)
    for number in range(rounds):
        tuned = []
        for place, site in enumerate(sites):
            network.load_state_dict(shared)
            rows = site.values if standard is None else standard.apply(site.values)
            _tune(network, rows.float(), site.labels, settings, torch_stream(seed, "averaging", number, place))
            tuned.append({name: value.clone() for name, value in network.state_dict().items()})
        shared = {name: _mean([one[name] for one in tuned], shares) for name in shared}
        yield Round([one | scale for one in tuned], shared | scale)


def _mean(values: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """Sites weigh as many utterances as they have."""
    return torch.stack([share * value for share, value in zip(shares, values, strict=True)]).sum(dim=0)


def _tune(network: Perceptron, rows: Tensor, labels: Tensor, settings: Settings, stream: torch.Generator) -> None:
    own = settings.dnn
    optimizer = Adam(network.parameters(), own.learning_rate, USUAL, own.decay)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(rows), generator=stream).split(BATCH):
            loss = functional.cross_entropy(network(rows[chosen]), labels[chosen])
            optimizer.forget_gradients()
            loss.backward()
            optimizer.step()
