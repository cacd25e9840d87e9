"""What a recognizer is: trained on examples, kept as weights, and tried on whole utterances.

Owns that form: the contract of every module in `common.recognizers.methods`, and of other people's. Must not know any
recognizer, nor whether its examples are real or drawn.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from common.networks.acceleration import Acceleration
from common.settings import Section, settings_from
from common.spaces import Patches, Space, Vectors
from common.synthesizers.synthesizer import Cost, Numbers, Shapes, Weights
from common.training.draws import Examples
from common.training.phases import Surroundings

Probabilities = NDArray[np.float64]
"""[utterances, classes]"""


class Predictor(Protocol):
    """A trained recognizer, ready to be tried."""

    def examples(self, examples: Tensor) -> Tensor:
        """Examples [n, *space.shape] -> numbers [n, classes], the largest of the class that it hears."""
        ...

    def utterances(self, utterances: Iterable[Tensor], stop: Callable[[], bool] = lambda: False) -> Probabilities:
        """Whole utterances, scaled as examples are; raises `Interrupted` soon after `stop` says so."""
        ...


S = TypeVar("S", bound=Section)


@dataclass(frozen=True)
class Recognizer(Generic[S]):
    """One way of hearing emotion.

    Args:
        name: in the registry, in orders, on the command line and in results.
        about: one sentence.
        Settings: all of its settings, bounded; a field is a section of the configuration, shared or of its own.
        spaces: the kinds of example that it reads.
        cost: what a training takes; steps are its own.
        train: on labelled examples, with a seed; the answer is its weights. Resumes from the snapshots around it.
        shapes: names and shapes of the weights.
        predictor: of weights, on a machine.
        numbers: its settings by the names of the bounds in a site's policy.
        found: what a predictor finds in weights at length, to be kept beside a model's; nothing where it finds none.
        knowing: the same predictor, where that was kept; only of whom one believes the weights too.
    """

    name: str
    about: str
    Settings: type[S]
    spaces: frozenset[type[Patches] | type[Vectors]]
    cost: Callable[[S, Space, int], Cost]
    train: Callable[[Examples, S, Space, int, int, Surroundings], dict[str, Tensor]]
    shapes: Callable[[S, Space, int], Shapes]
    predictor: Callable[[Weights, S, Space, int, Acceleration], Predictor]
    numbers: Callable[[S], Numbers] = lambda settings: {}
    found: Callable[[Weights, S, Space, int], dict[str, Tensor]] = lambda weights, settings, space, classes: {}
    knowing: Callable[[Weights, Weights, S, Space, int, Acceleration], Predictor] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes by name: each has the registry."""
        from common.recognizers import recognizer

        return recognizer, (self.name,)

    def settings_of(self, sections: Any) -> S:
        """Its settings, from whatever has their sections as attributes, such as a whole configuration."""
        return settings_from(self.Settings, sections)
