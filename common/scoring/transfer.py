"""What a linear machine learns of real speech from samples, and of samples from real speech.

Owns metrics 1 and 2 of Sahu et al. (2020). Must not know a recognizer of the project, nor how samples are made.

Metric 1 (section 4.4.1) trains on real vectors and is tested on samples: higher is better, but samples that are all
alike can reach the highest. Metric 2 (4.4.2) trains on samples and is tested on real vectors: higher is better, and it
falls where variety is missing. Set 1 is what the generator was fitted to, set 2 what it never saw.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError
from common.scoring.confusion import Confusion, Floats
from common.scoring.labelled import Labelled, check_comparable
from common.seeds import numpy_stream

COSTS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Among which a machine's C is chosen."""
FOLDS = 5
"""Of the choice, at most."""
Groups = Sequence[str]


@dataclass(frozen=True, slots=True)
class Transfer:
    """What was taken for what; the paper reads `uar` of each."""

    metric_1_set_1: Confusion
    metric_1_set_2: Confusion
    metric_2_set_1: Confusion
    metric_2_set_2: Confusion


@dataclass(frozen=True, slots=True)
class Side:
    """Real vectors and the speaker of each; no speakers where they cannot be kept apart."""

    vectors: Labelled
    speakers: Groups | None


def transfer(set_1: Side, set_2: Side, synthetic: Labelled, labels: Sequence[str], *, seed: int) -> Transfer:
    """Both metrics against both sets."""
    from_samples = chosen_machine(synthetic, None, seed=seed)
    from_real = [chosen_machine(side.vectors, side.speakers, seed=seed) for side in (set_1, set_2)]
    on_samples = [machine.confusion(synthetic, labels) for machine in from_real]
    on_real = [from_samples.confusion(side.vectors, labels) for side in (set_1, set_2)]
    return Transfer(*on_samples, *on_real)


@dataclass(frozen=True, slots=True)
class Machine:
    """A fitted linear support vector machine, its C, and what it was fitted to."""

    cost: float
    vectors: Labelled
    fitted: Any

    def confusion(self, tested: Labelled, labels: Sequence[str]) -> Confusion:
        """What it takes the tested vectors for."""
        check_comparable(self.vectors, tested)
        predicted = self.fitted.predict(_products(tested, self.vectors))
        return Confusion.of(labels, tested.labels, predicted)


def chosen_machine(vectors: Labelled, speakers: Groups | None, *, seed: int) -> Machine:
    """Fitted with the C of the highest UAR over inner folds, the smallest of several such.

    No speaker is on both sides of an inner fold; what has no speakers, such as samples, is split by chance.
    """
    counts = vectors.counts(1)
    if (counts > 0).sum() < 2:
        raise UserError("a classifier needs vectors of two classes or more", remedy="hand in further emotions")
    products = _products(vectors, vectors)
    cost = COSTS[int(np.argmax(_inner_uar(products, vectors.labels, _inner_folds(vectors, speakers, seed))))]
    return Machine(cost, vectors, _fit(products, vectors.labels, cost))


def _inner_folds(vectors: Labelled, speakers: Groups | None, seed: int) -> NDArray[np.int64]:
    """The inner fold of each vector."""
    if speakers is None:
        return _folds_by_chance(vectors, seed)
    from sklearn.model_selection import GroupKFold

    if len(speakers) != len(vectors):
        raise UserError(f"{len(vectors)} vectors stand against {len(speakers)} speakers")
    count = min(FOLDS, len(set(speakers)))
    if count < 2:
        raise UserError("C cannot be chosen: an inner fold needs two speakers", remedy="hand in further speakers")
    folds = np.empty(len(vectors), dtype=np.int64)
    for number, (_, tested) in enumerate(GroupKFold(count).split(vectors.values, groups=speakers)):
        folds[tested] = number
    return folds


def _folds_by_chance(vectors: Labelled, seed: int) -> NDArray[np.int64]:
    """Every class in every fold, as far as it reaches."""
    shuffled = numpy_stream(seed, "inner folds").permutation(len(vectors))
    folds = np.empty(len(vectors), dtype=np.int64)
    folds[shuffled[np.argsort(vectors.labels[shuffled], kind="stable")]] = np.arange(len(vectors)) % FOLDS
    return folds


def _inner_uar(products: Floats, labels: NDArray[np.int64], folds: NDArray[np.int64]) -> list[float]:
    """For each C, pooled over the inner folds."""
    names = tuple(map(str, range(int(labels.max()) + 1)))
    scores = []
    for cost in COSTS:
        predicted = np.empty_like(labels)
        for fold in np.unique(folds):
            tested, kept = folds == fold, folds != fold
            if len(np.unique(labels[kept])) < 2:
                predicted[tested] = labels[kept][0]
                continue
            machine = _fit(products[np.ix_(kept, kept)], labels[kept], cost)
            predicted[tested] = machine.predict(products[np.ix_(tested, kept)])
        scores.append(Confusion.of(names, labels, predicted).uar)
    return scores


def _fit(products: Floats, labels: NDArray[np.int64], cost: float) -> Any:
    from sklearn.svm import SVC

    return SVC(C=cost, kernel="precomputed").fit(products, labels)


def _products(one: Labelled, other: Labelled) -> Floats:
    """A linear kernel, computed once for every C and every inner fold."""
    return one.values @ other.values.T
