"""A dense network on vectors of whole utterances: Yi & Mak's two layers of 100, or four of 512 by two settings.

Owns its training. Must not know where vectors come from, real or drawn. Examples do not say of which session they are,
so none can be held out to end a training: the budget is fixed, as in the papers, whose forty passes over some hundred
utterances it is. Where numbers are raw, it makes them alike by its own training examples.
"""

from collections.abc import Callable, Iterable

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from common.networks.acceleration import Acceleration
from common.networks.memory import dense_memory
from common.networks.perceptron import Perceptron
from common.recognizers.recognizer import Probabilities, Recognizer
from common.seeds import derive_seed
from common.settings import Count, OptimizerConfig, Positive, Rate, Section
from common.spaces import Space, Vectors
from common.synthesizers.synthesizer import Cost, Shapes, Weights
from common.training.adam import Adam
from common.training.draws import Dealer, Draw, Examples, everything, require_labels
from common.training.phases import Game, Interrupted, Phase, Surroundings, play
from common.training.recording import Metrics
from common.training.standard import Standard, is_raw, standard_shapes

STAGE = "dnn"
AT_ONCE = 256
"""Vectors in one forward: sums depend on it."""
USUAL = OptimizerConfig(beta1=0.9, beta2=0.999)
"""Of Adam, as its authors have it: this is no game."""


class DnnConfig(Section):
    """Epochs, batch and decay are open in the papers."""

    hidden: Positive = Field(100, le=4096, description="units in a layer; 512 for IEMOCAP")
    layers: Positive = Field(2, le=8, description="hidden layers; 4 for IEMOCAP")
    iterations: Count = Field(200, description="batches: 40 passes over 320 utterances")
    batch: Positive = 64
    learning_rate: Rate = Field(1e-3, description="printed: 1e-4, for more speech")
    decay: float = Field(0.01, ge=0, le=1, description="of weights, by AdamW")


class Settings(Section):
    """Of the network and its training."""

    dnn: DnnConfig = DnnConfig()


def untrained(settings: Settings, space: Space, classes: int, *, seed: int = 0) -> Perceptron:
    """The network, to be trained or to be given weights."""
    own = settings.dnn
    return Perceptron((space.shape[0], *[own.hidden] * own.layers, classes), seed=seed)


def train(
    examples: Examples, settings: Settings, space: Space, classes: int, seed: int, around: Surroundings
) -> dict[str, Tensor]:
    """Cross-entropy under AdamW."""
    require_labels(examples, STAGE)
    own, device = settings.dnn, around.acceleration.device
    standard = Standard.of(everything(examples).values) if is_raw(space) else None
    network = untrained(settings, space, classes, seed=derive_seed(seed, STAGE)).to(device)
    there = None if standard is None else standard.to(device)

    def make(draw: Draw) -> Tensor:
        outputs: Tensor = network(draw["values"] if there is None else there.apply(draw["values"]))
        return outputs

    def loss(draw: Draw, made: Tensor) -> Metrics:
        right = (made.argmax(dim=1) == draw["labels"]).float().mean()
        return {"loss": functional.cross_entropy(made, draw["labels"]), "right": right}

    phase = Phase(STAGE, Adam(network.parameters(), own.learning_rate, USUAL, own.decay), loss)
    draw = Dealer(examples, STAGE, seed, own.batch, {}, around.share, device).draw
    play(Game(STAGE, {STAGE: network}, draw, make, [phase]), own.iterations, around)
    kept = {name: value.detach().cpu() for name, value in network.state_dict().items()}
    return kept if standard is None else kept | standard.released()


class VectorPredictor:
    """The network over vectors, one an utterance."""

    def __init__(
        self, weights: Weights, settings: Settings, space: Space, classes: int, acceleration: Acceleration
    ) -> None:
        network, self._standard = untrained(settings, space, classes), Standard.received(weights)
        network.load_state_dict({name: weights[name].float() for name in network.state_dict()})
        self._network, self._acceleration = acceleration.prepare(network), acceleration

    @torch.no_grad()
    def examples(self, examples: Tensor) -> Tensor:
        """Vectors [n, size] -> numbers [n, classes]."""
        return torch.cat([self._forward(part) for part in examples.split(AT_ONCE)])

    def utterances(self, utterances: Iterable[Tensor], stop: Callable[[], bool] = lambda: False) -> Probabilities:
        """One vector each."""
        parts = torch.stack(list(utterances)).split(AT_ONCE)
        answers = []
        for done, part in enumerate(parts):
            if stop():
                raise Interrupted(STAGE, done)
            answers.append(self.examples(part).double().softmax(dim=1))
        probabilities: Probabilities = torch.cat(answers).numpy()
        return probabilities

    def _forward(self, rows: Tensor) -> Tensor:
        alike = rows if self._standard is None else self._standard.apply(rows)
        with self._acceleration.autocast():
            outputs: Tensor = self._network(alike.to(self._acceleration.device))
        return outputs.float().cpu()


def _shapes(settings: Settings, space: Space, classes: int) -> Shapes:
    with torch.device("meta"):
        network = untrained(settings, space, classes)
    return {name: tuple(value.shape) for name, value in network.state_dict().items()} | standard_shapes(space)


def _cost(settings: Settings, space: Space, classes: int) -> Cost:
    own = settings.dnn
    with torch.device("meta"):
        network = untrained(settings, space, classes)
    return Cost(own.iterations, dense_memory([network], 2 * own.batch * (space.shape[0] + own.layers * own.hidden)))


RECOGNIZER = Recognizer(
    name=STAGE,
    about="A dense network on vectors of whole utterances.",
    Settings=Settings,
    spaces=frozenset({Vectors}),
    cost=_cost,
    train=train,
    shapes=_shapes,
    predictor=VectorPredictor,
    numbers=lambda settings: {"hidden": settings.dnn.hidden},
)
