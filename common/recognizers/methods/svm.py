"""A linear support vector machine over vectors: one emotion against all others, the largest margin is heard.

Owns its training and its weights. Must not know where vectors came from, real or drawn.
"""

import warnings
from collections.abc import Callable, Iterable

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from common.errors import UserError
from common.networks.acceleration import Acceleration
from common.recognizers.recognizer import Probabilities, Recognizer
from common.settings import Section
from common.spaces import Space, Vectors
from common.synthesizers.synthesizer import Cost, Shapes, Weights
from common.training.draws import Examples, everything, require_labels
from common.training.phases import Interrupted, Surroundings
from common.training.standard import Standard, standard_for, standard_shapes

STAGE = "svm"
UNHEARD = -1e3
"""The bias of an emotion that nothing was trained on: no vector is so far on its side."""
DUAL = 4
"""Examples for each number of a vector, below which the dual problem is solved. Both problems have one answer; up to
there the dual's came sooner, of 1,800 examples of 1,715 numbers in a quarter of the time. Where errors are dear and
examples more than numbers, its rounds may end before it has the answer: then the primal one is solved.
"""


class SvmConfig(Section):
    """The machine's price of errors and its budget."""

    c: float = Field(
        0.01, gt=0, le=1e3, description="price of an error; on standardised vectors 0.01 separates what a corpus has"
    )
    rounds: int = Field(2000, ge=1, le=100_000, description="over the examples, at the most")


class Settings(Section):
    """Its own section."""

    svm: SvmConfig = SvmConfig()


def train(
    examples: Examples, settings: Settings, space: Space, classes: int, seed: int, around: Surroundings
) -> dict[str, Tensor]:
    """On every example once, standardised by them where the space is raw."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC  # takes a second to load

    require_labels(examples, STAGE)
    given = everything(examples)
    values, labels = given.values.float(), given.labels.numpy()
    standard = standard_for(space, values)
    values = values if standard is None else standard.apply(values)
    known = np.unique(labels)
    if len(known) < 2:
        raise UserError("a machine that tells emotions apart needs two", remedy="train on more emotions")
    own, many = settings.svm, len(values) >= values.shape[1]
    dual = len(values) < DUAL * values.shape[1]
    machine = LinearSVC(C=own.c, dual=dual, max_iter=own.rounds, random_state=seed % 2**32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # at the end of its budget it stops, as `rounds` says
        machine.fit(values.numpy(), labels)
        if dual and many and machine.n_iter_ >= own.rounds:
            machine.set_params(dual=False).fit(values.numpy(), labels)
    rows, biases = machine.coef_, machine.intercept_
    if len(known) == 2:  # one row, whose other side is the other emotion
        rows, biases = np.concatenate([-rows, rows]), np.concatenate([-biases, biases])
    weight = torch.zeros(classes, values.shape[1])
    bias = torch.full((classes,), UNHEARD)
    weight[known], bias[known] = torch.from_numpy(rows).float(), torch.from_numpy(biases).float()
    return {"weight": weight, "bias": bias} | ({} if standard is None else standard.released())


class SvmPredictor:
    """Margins of vectors."""

    def __init__(
        self, weights: Weights, settings: Settings, space: Space, classes: int, acceleration: Acceleration
    ) -> None:
        self._weight, self._bias = weights["weight"].float(), weights["bias"].float()
        self._standard = Standard.received(weights)

    def examples(self, examples: Tensor) -> Tensor:
        """Vectors [n, size] -> margins [n, classes]."""
        values = examples.float()
        values = values if self._standard is None else self._standard.apply(values)
        return values @ self._weight.T + self._bias

    def utterances(self, utterances: Iterable[Tensor], stop: Callable[[], bool] = lambda: False) -> Probabilities:
        """A vector each."""
        rows = []
        for done, vector in enumerate(utterances):
            if stop():
                raise Interrupted(STAGE, done)
            rows.append(vector)
        probabilities: Probabilities = self.examples(torch.stack(rows)).double().softmax(dim=1).numpy()
        return probabilities


def _shapes(settings: Settings, space: Space, classes: int) -> Shapes:
    return {"weight": (classes, space.shape[0]), "bias": (classes,)} | standard_shapes(space)


RECOGNIZER = Recognizer(
    name="svm",
    about="A linear support vector machine over vectors, one emotion against all others.",
    Settings=Settings,
    spaces=frozenset({Vectors}),
    cost=lambda settings, space, classes: Cost(0, 16 * 10_000 * space.shape[0]),
    train=train,
    shapes=_shapes,
    predictor=SvmPredictor,
    numbers=lambda settings: {},
)
