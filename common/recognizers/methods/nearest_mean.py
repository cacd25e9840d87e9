"""The nearest mean: whichever emotion's mean vector lies nearest is heard.

Owns its training and its weights. Must not know where vectors came from, real or drawn. It has no setting, so nothing
of it can be chosen by a score; distances are those of the space, standardised by the examples where that is raw.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from common.networks.acceleration import Acceleration
from common.recognizers.recognizer import Probabilities, Recognizer
from common.settings import Section
from common.spaces import Space, Vectors
from common.synthesizers.synthesizer import Cost, Shapes, Weights
from common.training.draws import Examples, everything, require_labels
from common.training.phases import Interrupted, Surroundings
from common.training.standard import Standard, standard_for, standard_shapes

STAGE = "nearest mean"
NOWHERE = 1e6
"""Each number of the mean of an emotion that nothing was trained on: no vector is near it."""


class Settings(Section):
    """None."""


def train(
    examples: Examples, settings: Settings, space: Space, classes: int, seed: int, around: Surroundings
) -> dict[str, Tensor]:
    """On every example once."""
    require_labels(examples, STAGE)
    given = everything(examples)
    standard = standard_for(space, given.values.float())
    values = given.values.float() if standard is None else standard.apply(given.values.float())
    means = torch.full((classes, values.shape[1]), NOWHERE)
    for emotion in given.labels.unique().tolist():
        means[emotion] = values[given.labels == emotion].mean(dim=0)
    return {"means": means} | ({} if standard is None else standard.released())


class NearestMeanPredictor:
    """Distances of vectors to means."""

    def __init__(
        self, weights: Weights, settings: Settings, space: Space, classes: int, acceleration: Acceleration
    ) -> None:
        self._means, self._standard = weights["means"].double(), Standard.received(weights)

    def examples(self, examples: Tensor) -> Tensor:
        """Vectors [n, size] -> distances [n, classes], each with a minus."""
        values = examples.float()
        values = values if self._standard is None else self._standard.apply(values)
        return -torch.cdist(values.double(), self._means)

    def utterances(self, utterances: Iterable[Tensor], stop: Callable[[], bool] = lambda: False) -> Probabilities:
        """A vector each."""
        rows = []
        for done, vector in enumerate(utterances):
            if stop():
                raise Interrupted(STAGE, done)
            rows.append(vector)
        probabilities: Probabilities = self.examples(torch.stack(rows)).softmax(dim=1).numpy()
        return probabilities


def _shapes(settings: Settings, space: Space, classes: int) -> Shapes:
    return {"means": (classes, space.shape[0])} | standard_shapes(space)


RECOGNIZER = Recognizer(
    name="nearest-mean",
    about="The emotion whose mean vector is the nearest.",
    Settings=Settings,
    spaces=frozenset({Vectors}),
    cost=lambda settings, space, classes: Cost(0, 8 * 10_000 * space.shape[0]),
    train=train,
    shapes=_shapes,
    predictor=NearestMeanPredictor,
    numbers=lambda settings: {},
)
