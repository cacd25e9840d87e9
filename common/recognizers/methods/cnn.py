"""The paper's SER network (section 4.3): trained from scratch, tried on whole utterances.

Owns its loss, its falling learning rate and how windows become one answer. Must not know where its patches came from,
real or drawn.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import functional

from common.networks import Discriminator, learned_weights, network_to_hear, norms_of
from common.networks.acceleration import Acceleration
from common.networks.memory import recognizer_memory
from common.recognizers.recognizer import Probabilities, Recognizer
from common.recognizers.windows import heard, means_of
from common.seeds import derive_seed
from common.settings import NetworkConfig, OptimizerConfig, RecognizerConfig, Section
from common.spaces import Patches, Space
from common.synthesizers.synthesizer import Cost, Shapes, Weights
from common.training.adam import Adam
from common.training.augmentation import augment
from common.training.draws import Chance, Dealer, Draw, Examples, require_labels, uniform
from common.training.phases import Game, Phase, Surroundings, play
from common.training.recording import Metrics

STAGE = "recognizer"
AT_ONCE = 64
"""Windows in one forward; utterances are packed into it, for most have only a few."""


class Settings(Section):
    """Of the network, of Adam, and of the training."""

    network: NetworkConfig = NetworkConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    recognizer: RecognizerConfig = RecognizerConfig()


def train(
    examples: Examples, settings: Settings, space: Space, classes: int, seed: int, around: Surroundings
) -> dict[str, Tensor]:
    """The discriminator's body with one output an emotion, under cross-entropy."""
    own = settings.recognizer
    require_labels(examples, STAGE)
    fresh = untrained(settings, classes, seed=derive_seed(seed, STAGE, "networks"))
    network, device = around.acceleration.prepare(fresh), around.acceleration.device
    chances: dict[str, Chance] = {kind: uniform() for kind in own.augmentation}
    dealer = Dealer(examples, STAGE, seed, own.batch, chances, around.share, device)

    def make(draw: Draw) -> Tensor:
        outputs: Tensor = network(augment(draw["values"], draw, own.augmentation))
        return outputs.float()

    def loss(draw: Draw, made: Tensor) -> Metrics:
        right = (made.argmax(dim=1) == draw["labels"]).float().mean()
        return {"loss": functional.cross_entropy(made, draw["labels"]), "right": right}

    optimizer = Adam(network.parameters(), own.learning_rate, settings.optimizer)
    phase = Phase("recognizer", optimizer, loss, lambda step: rate_at(step, own))
    play(Game(STAGE, {"recognizer": network}, dealer.draw, make, [phase]), own.iterations, around)
    return {name: value.detach().cpu() for name, value in learned_weights(network.state_dict()).items()}


def untrained(settings: Settings, classes: int, *, seed: int = 0) -> Discriminator:
    """The network, to be trained or to be given weights."""
    return Discriminator(settings.network, classes, seed=seed, bands=settings.recognizer.bands)


def rate_at(step: int, settings: RecognizerConfig) -> float:
    """The learning rate, which falls by a factor at every so many steps.

    >>> [f"{rate_at(step, RecognizerConfig()):.0e}" for step in (0, 9_999, 10_000, 20_000)]
    ['1e-05', '1e-05', '1e-06', '1e-07']
    """
    return settings.learning_rate * settings.decay_factor ** (step // settings.decay_every)


class WindowPredictor:
    """The network over windows; an utterance's probabilities are the mean over its windows'."""

    def __init__(
        self,
        weights: Weights,
        settings: Settings,
        space: Space,
        classes: int,
        acceleration: Acceleration,
        norms: Weights | None = None,
    ) -> None:
        network = network_to_hear(lambda: untrained(settings, classes), weights, norms)
        self._network, self._acceleration = acceleration.prepare(network), acceleration
        self._hop = settings.recognizer.window_hop

    @torch.no_grad()
    def examples(self, examples: Tensor) -> Tensor:
        """Patches [n, 1, 128, 128] -> numbers [n, classes]."""
        return torch.cat([self._forward(part).cpu() for part in examples.split(AT_ONCE)])

    def plainly(self, examples: Tensor) -> Tensor:
        """The same layer by layer, for a program that other machines run: without the kernels of this one."""
        return self._network.plainly(examples)

    def utterances(self, utterances: Iterable[Tensor], stop: Callable[[], bool] = lambda: False) -> Probabilities:
        """Scaled log-mels [mels, n], of any lengths."""
        owners, outputs = heard(utterances, self._hop, AT_ONCE, self._forward, stop, STAGE)
        probabilities: Probabilities = means_of(owners, outputs.softmax(dim=1)).numpy()
        return probabilities

    @torch.no_grad()
    def _forward(self, patches: Tensor) -> Tensor:
        with self._acceleration.autocast():
            outputs: Tensor = self._network(patches.to(self._acceleration.device))
        return outputs.float()


def _norms(weights: Weights, settings: Settings, space: Space, classes: int) -> dict[str, Tensor]:
    """At full width they are most of what loading takes."""
    return norms_of(network_to_hear(lambda: untrained(settings, classes), weights))


def _knowing(
    norms: Weights, weights: Weights, settings: Settings, space: Space, classes: int, acceleration: Acceleration
) -> WindowPredictor:
    return WindowPredictor(weights, settings, space, classes, acceleration, norms)


def _shapes(settings: Settings, space: Space, classes: int) -> Shapes:
    with torch.device("meta"):
        network = untrained(settings, classes)
    return {name: tuple(value.shape) for name, value in learned_weights(network.state_dict()).items()}


def _cost(settings: Settings, space: Space, classes: int) -> Cost:
    own = settings.recognizer
    return Cost(own.iterations, recognizer_memory(settings.network, own.batch, classes))


RECOGNIZER = Recognizer(
    name="cnn",
    about="The paper's network: the discriminator's body, trained from scratch on patches.",
    Settings=Settings,
    spaces=frozenset({Patches}),
    cost=_cost,
    train=train,
    shapes=_shapes,
    predictor=WindowPredictor,
    numbers=lambda settings: {"width": settings.network.width, "window_hop": settings.recognizer.window_hop},
    found=_norms,
    knowing=_knowing,
)
