"""VGG19 (Simonyan & Zisserman 2015), trained from scratch on segments, as Chatziagapi et al. 2019 use it.

An utterance is cut into segments without overlap, the last at its very end, and the emotion that most of them vote for
is its own; between emotions with as many votes the mean log-probability decides.

Owns the network, its training and the vote. Must not know where patches come from. Their segments last three seconds; a
patch's length follows from `features.hop`, and 400 makes it 3.2. Their images are copied into three channels, which
tells nothing new: here there is one. Examples do not say of which session they are, so none can be held out to end a
training: the budget is fixed. `width` scales all channels, for processors.
"""

import math
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from common.networks.acceleration import Acceleration
from common.networks.memory import dense_memory
from common.recognizers.recognizer import Probabilities, Recognizer
from common.recognizers.windows import heard, means_of
from common.seeds import derive_seed
from common.settings import Count, OptimizerConfig, Positive, Rate, Section
from common.space import SIDE
from common.spaces import Patches, Space
from common.synthesizers.synthesizer import Cost, Shapes, Weights
from common.training.adam import Adam
from common.training.draws import Dealer, Draw, Examples, require_labels, uniform
from common.training.phases import Game, Phase, Surroundings, play
from common.training.recording import Metrics

STAGE = "vgg19"
AT_ONCE = 32
"""Segments in one forward: sums depend on it."""
BLOCKS = (64, 2), (128, 2), (256, 4), (512, 4), (512, 4)
"""Channels and convolutions between two halvings of the picture."""
HIDDEN = 4096
USUAL = OptimizerConfig(beta1=0.9, beta2=0.999)
"""Of Adam, as its authors have it."""


class Vgg19Config(Section):
    """Optimizer, epochs and dropout are open in the paper."""

    width: float = Field(1.0, gt=0, le=1, description="share of its channels and hidden units")
    iterations: Count = Field(2_000, description="open in the paper")
    batch: Positive = Field(32, description="open in the paper")
    learning_rate: Rate = Field(1e-4, description="open in the paper")
    dropout: float = Field(0.5, ge=0, lt=1, description="between dense layers; open in the paper")


class Settings(Section):
    """Of the network and its training."""

    vgg19: Vgg19Config = Vgg19Config()


class Vgg19(nn.Module):
    """Sixteen convolutions and three dense layers.

    Args:
        width: share of the channels; at 1, with three of them and 1000 classes at 224 x 224, 143,667,240 weights.
        channels: of a picture.
        side: of a picture, in pixels.
        classes: outputs.
        seed: of the first weights (He et al. 2015).
    """

    def __init__(self, width: float, channels: int, side: int, classes: int, *, seed: int = 0) -> None:
        super().__init__()
        sizes = [channels, *(_scaled(size, width) for size, count in BLOCKS for _ in range(count))]
        hidden = _scaled(HIDDEN, width)
        dense = [sizes[-1] * (side // 2 ** len(BLOCKS)) ** 2, hidden, hidden, classes]
        skip = partial(torch.nn.utils.skip_init, device=torch.get_default_device())
        self.convolutions = nn.ModuleList(skip(nn.Conv2d, into, out, 3, padding=1) for into, out in pairwise(sizes))
        self.dense = nn.ModuleList(skip(nn.Linear, into, out) for into, out in pairwise(dense))
        if not self.dense[0].weight.is_meta:
            stream = torch.Generator().manual_seed(seed)
            for layer in (*self.convolutions, *self.dense):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=stream)
                nn.init.zeros_(layer.bias)
        # Of few channels: a processor takes twice as long for a step in the usual layout.
        self.convolutions.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pictures: Tensor, kept: tuple[Tensor, ...] = ()) -> Tensor:
        """[batch, channels, side, side] -> [batch, classes]; `kept` are the factors of dropout, while training."""
        layers, pictures = iter(self.convolutions), pictures.contiguous(memory_format=torch.channels_last)
        for _, count in BLOCKS:
            for _ in range(count):
                pictures = functional.relu(next(layers)(pictures))
            pictures = functional.max_pool2d(pictures, 2)
        rows = pictures.flatten(1)
        *hidden, last = self.dense
        for number, layer in enumerate(hidden):
            rows = functional.relu(layer(rows))
            rows = rows * kept[number] if kept else rows
        outputs: Tensor = last(rows)
        return outputs.float()


def _scaled(size: int, width: float) -> int:
    return max(round(size * width), 1)


def untrained(settings: Settings, classes: int, *, seed: int = 0) -> Vgg19:
    """The network, to be trained or to be given weights."""
    return Vgg19(settings.vgg19.width, 1, SIDE, classes, seed=seed)


def train(
    examples: Examples, settings: Settings, space: Space, classes: int, seed: int, around: Surroundings
) -> dict[str, Tensor]:
    """Cross-entropy under Adam."""
    require_labels(examples, STAGE)
    own, device = settings.vgg19, around.acceleration.device
    network = around.acceleration.prepare(untrained(settings, classes, seed=derive_seed(seed, STAGE)))
    chance = uniform(_scaled(HIDDEN, own.width))
    chances = {"first": chance, "second": chance} if own.dropout else {}

    def make(draw: Draw) -> Tensor:
        kept = tuple((draw[name] >= own.dropout).float() / (1 - own.dropout) for name in chances)
        outputs: Tensor = network(draw["values"], kept)
        return outputs

    def loss(draw: Draw, made: Tensor) -> Metrics:
        right = (made.argmax(dim=1) == draw["labels"]).float().mean()
        return {"loss": functional.cross_entropy(made, draw["labels"]), "right": right}

    phase = Phase(STAGE, Adam(network.parameters(), own.learning_rate, USUAL), loss)
    draw = Dealer(examples, STAGE, seed, own.batch, chances, around.share, device).draw
    play(Game(STAGE, {STAGE: network}, draw, make, [phase]), own.iterations, around)
    return {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}


class VotingPredictor:
    """The network over segments, which vote."""

    def __init__(
        self, weights: Weights, settings: Settings, space: Space, classes: int, acceleration: Acceleration
    ) -> None:
        network = untrained(settings, classes)
        network.load_state_dict({name: value.float() for name, value in weights.items()})
        self._network, self._acceleration = acceleration.prepare(network), acceleration

    @torch.no_grad()
    def examples(self, examples: Tensor) -> Tensor:
        """Patches [n, 1, 128, 128] -> numbers [n, classes]."""
        return torch.cat([self._forward(part) for part in examples.split(AT_ONCE)])

    def utterances(self, utterances: Iterable[Tensor], stop: Callable[[], bool] = lambda: False) -> Probabilities:
        """Scaled log-mels [mels, n], of any lengths."""
        owners, outputs = heard(utterances, SIDE, AT_ONCE, self._forward, stop, STAGE)
        probabilities: Probabilities = voted(owners, outputs.log_softmax(dim=1)).numpy()
        return probabilities

    @torch.no_grad()
    def _forward(self, patches: Tensor) -> Tensor:
        with self._acceleration.autocast():
            outputs: Tensor = self._network(patches.to(self._acceleration.device))
        return outputs.float().cpu()


def voted(owners: Tensor, told: Tensor) -> Tensor:
    """Log-probabilities of segments -> shares of the votes of each utterance, which half a vote more decides.

    >>> told = torch.tensor([[0.6, 0.4], [0.1, 0.9]]).log().double()
    >>> voted(torch.tensor([0, 0]), told).argmax(dim=1).tolist()
    [1]
    """
    votes = functional.one_hot(told.argmax(dim=1), told.shape[1]).double()
    counts = torch.bincount(owners)[:, None]
    tie = means_of(owners, told).softmax(dim=1)
    return (means_of(owners, votes) * counts + tie / 2) / (counts + 0.5)


def _shapes(settings: Settings, space: Space, classes: int) -> Shapes:
    with torch.device("meta"):
        network = untrained(settings, classes)
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def _cost(settings: Settings, space: Space, classes: int) -> Cost:
    own = settings.vgg19
    with torch.device("meta"):
        network = untrained(settings, classes)
    sides = [SIDE // 2**number for number in range(len(BLOCKS))]
    pictures = sum(
        2 * count * _scaled(size, own.width) * side**2 for (size, count), side in zip(BLOCKS, sides, strict=True)
    )
    return Cost(own.iterations, dense_memory([network], own.batch * (pictures + math.prod(space.shape))))


RECOGNIZER = Recognizer(
    name=STAGE,
    about="VGG19 from scratch on segments of an utterance, which vote.",
    Settings=Settings,
    spaces=frozenset({Patches}),
    cost=_cost,
    train=train,
    shapes=_shapes,
    predictor=VotingPredictor,
    numbers=lambda settings: {"width": settings.vgg19.width},
)
