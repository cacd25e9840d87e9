"""How likely an utterance is under what a twin makes: a kernel estimate over samples of its own emotion.

Owns the score, its width, and copies that are planted to see whether it would notice. Must not know twins or verdicts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from common.errors import UserError
from common.scoring.confusion import Floats
from common.scoring.labelled import Labelled
from common.seeds import numpy_stream

WIDTH = 0.3
"""Of the kernel, in units of the usual distance between neighbours: a narrower one sees copies alone, a wider one means
alone."""
JITTER = 0.1
"""How far a planted copy lies from its recording, in the same unit."""


@dataclass(frozen=True, eq=False)
class Utterances:
    """What is audited, in the space in which it is compared.

    Args:
        points: all windows of all utterances, [windows, d].
        owners: whose each window is, [windows].
        labels: the emotion of each utterance.
        speakers: a number for the speaker of each.
    """

    points: Floats
    owners: NDArray[np.int64]
    labels: NDArray[np.int64]
    speakers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def of_vectors(cls, points: ArrayLike, labels: ArrayLike, speakers: ArrayLike) -> "Utterances":
        """Of which each is one point."""
        checked = Labelled(points, labels)
        return cls(checked.values, np.arange(len(checked)), checked.labels, np.asarray(speakers, dtype=np.int64))

    def unit(self) -> float:
        """The median distance from a window to the nearest of another utterance of its emotion."""
        from scipy.spatial.distance import cdist

        nearest = []
        for emotion in np.unique(self.labels):
            here = np.flatnonzero(self.labels[self.owners] == emotion)
            apart = cdist(self.points[here], self.points[here])
            apart[self.owners[here][:, None] == self.owners[here]] = np.inf
            found = apart.min(axis=1)
            nearest += found[np.isfinite(found)].tolist()
        if not nearest or not np.median(nearest) > 0:
            raise UserError("utterances that are all alike, or alone in their emotion, cannot be audited")
        return float(np.median(nearest))


def squared_distances(utterances: Utterances, made: Labelled) -> Floats:
    """[windows, samples] in units; infinite where emotions differ."""
    from scipy.spatial.distance import cdist

    squares = cdist(utterances.points, made.values, "sqeuclidean")
    squares[utterances.labels[utterances.owners][:, None] != made.labels] = np.inf
    return np.asarray(squares)


def scores(utterances: Utterances, squares: Floats, unit: float) -> Floats:
    """Of each utterance: the mean over its windows of the logarithm of the summed kernel."""
    from scipy.special import logsumexp

    logs = logsumexp(-squares / (2 * (WIDTH * unit) ** 2), axis=1)
    return np.asarray(np.bincount(utterances.owners, weights=logs) / np.bincount(utterances.owners))


def planted(
    utterances: Utterances,
    made: Labelled,
    squares: Floats,
    chosen: NDArray[np.int64],
    share: float,
    unit: float,
    seed: int,
) -> Floats:
    """The distances, had such a share of the samples been copies of these utterances, moved by a little."""
    stream = numpy_stream(seed, "planted copies")
    there = squares.copy()
    for emotion in np.unique(utterances.labels[chosen]):
        own = np.flatnonzero(np.isin(utterances.owners, chosen[utterances.labels[chosen] == emotion]))
        places = np.flatnonzero(made.labels == emotion)
        places = stream.permutation(places)[: max(round(share * len(places)), 1)]
        copied = utterances.points[stream.choice(own, size=len(places))]
        moved = stream.normal(size=copied.shape)
        moved *= JITTER * unit / np.sqrt(copied.shape[1])
        there[:, places] = squared_distances(utterances, Labelled(copied + moved, np.full(len(places), emotion)))
    return there
