"""A recognizer: whichever emotion's mean example is the nearest."""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from common.features.patches import windows
from common.networks.acceleration import Acceleration
from common.recognizers.recognizer import Probabilities, Recognizer
from common.settings import Section
from common.spaces import Patches, Space
from common.synthesizers.synthesizer import Cost, Shapes, Weights
from common.training.draws import Examples
from common.training.phases import Surroundings


class NearestConfig(Section):
    """How much is looked at."""

    batches: int = Field(4, ge=1, le=1000, description="of examples over which a mean is taken")


class Settings(Section):
    """Its own section, which a configuration spells [nearest]."""

    nearest: NearestConfig = NearestConfig()


class NearestPredictor:
    """Distances to means."""

    def __init__(self, weights: Weights) -> None:
        self._means = weights["means"].float().flatten(1)

    def examples(self, examples: Tensor) -> Tensor:
        """Numbers [n, classes], the largest of the class that it hears."""
        return -torch.cdist(examples.float().flatten(1), self._means)

    def utterances(self, utterances: Iterable[Tensor], stop: Callable[[], bool] = lambda: False) -> Probabilities:
        """The mean over an utterance's windows."""
        heard = [self.examples(windows(one, 64)).mean(dim=0).softmax(dim=0) for one in utterances]
        return np.stack([one.numpy().astype(np.float64) for one in heard])


def train(
    examples: Examples, settings: Settings, space: Space, classes: int, seed: int, around: Surroundings
) -> dict[str, Tensor]:
    """The mean of each emotion's examples."""
    means, counts = torch.zeros(classes, *space.shape), torch.zeros(classes)
    for step in range(settings.nearest.batches):
        batch = examples.batch(step, 32, "nearest")
        means.index_add_(0, batch.labels, batch.values.float())
        counts += torch.bincount(batch.labels, minlength=classes)
    return {"means": means / counts.clamp_min(1).view(-1, *[1] * len(space.shape))}


def shapes(settings: Settings, space: Space, classes: int) -> Shapes:
    """Of what is kept."""
    return {"means": (classes, *space.shape)}


def predictor(
    weights: Weights, settings: Settings, space: Space, classes: int, acceleration: Acceleration
) -> NearestPredictor:
    """Ready to be tried."""
    return NearestPredictor(weights)


RECOGNIZER = Recognizer(
    name="nearest",
    about="The emotion whose mean example is the nearest.",
    Settings=Settings,
    spaces=frozenset({Patches}),
    cost=lambda settings, space, classes: Cost(settings.nearest.batches, 2**20),
    train=train,
    shapes=shapes,
    predictor=predictor,
)
