"""One mode's confusions under a protocol, and their mean, deviations and interval.

Owns the table of seeds and speakers, the fold in which each speaker was tested, and the averaging over
both. Must not know how a mode makes its data.

The score of a mode is the paper's: a fold is scored as a whole, folds are averaged. Resampling draws the
speakers of all folds, and within each fold the seeds too: its speakers were all scored by the same few
recognizers, whose luck would otherwise count once a speaker. What every fold shares (the pre-trained
networks) does not vary, so no interval speaks of it.

In simulations of five folds of two speakers the interval held the truth 0.93 times with three seeds, 0.73
to 0.85 times with one, which shows nothing of the luck of training.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError
from common.scoring.confusion import METRICS, Confusion, Floats, Metric
from common.scoring.intervals import RESAMPLES, draw_weights, score_of
from common.seeds import numpy_stream


@dataclass(frozen=True, slots=True)
class Summary:
    """A mode's row in the table. Deviations are sample deviations (n - 1), None where there is only one.

    The paper does not say which deviation it prints; for five folds the other one is 0.89 of this.
    """

    mean: float
    low: float
    high: float
    std_over_folds: float | None
    std_over_seeds: float | None
    folds: int
    seeds: int
    n: int


@dataclass(frozen=True, eq=False)
class Outcome:
    """`counts[seed, speaker, true, predicted]`; each speaker was tested in one fold, by every seed."""

    labels: tuple[str, ...]
    seeds: tuple[int, ...]
    speakers: tuple[str, ...]
    folds: tuple[str, ...]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, cells: Mapping[tuple[int, str, str], Confusion]) -> Self:
        """From the confusion of each (seed, fold, speaker).

        >>> right, wrong = (Confusion(("sad", "happy"), c) for c in ([[2, 0], [0, 2]], [[0, 2], [2, 0]]))
        >>> outcome = Outcome.of({(0, "1", "ann"): right, (0, "2", "bob"): wrong})
        >>> outcome.values("accuracy").tolist()
        [[1.0, 0.0]]
        """
        seeds = tuple(sorted({seed for seed, _, _ in cells}))
        places = sorted({(fold, speaker) for _, fold, speaker in cells})
        labels = {confusion.labels for confusion in cells.values()}
        _check(cells, seeds, places, labels)
        counts = np.stack([[cells[seed, *place].counts for place in places] for seed in seeds])
        folds, speakers = zip(*places, strict=True)
        return cls(labels.pop(), seeds, speakers, folds, counts)

    @property
    def n(self) -> int:
        """Utterances scored by each seed."""
        return int(self.counts[0].sum())

    def values(self, metric: Metric) -> Floats:
        """The metric of each seed and fold, [seeds, folds]; folds in sorted order."""
        in_fold = self._membership()
        return METRICS[metric](np.einsum("fs,ksij->kfij", in_fold, self.counts.astype(np.float64)))

    def pooled(self, metric: Metric) -> float:
        """The metric of all folds' confusions added up, mean over seeds: no emotion that some fold holds is absent."""
        return float(METRICS[metric](self.counts.sum(axis=1)).mean())

    def summary(self, metric: Metric = "macro_f1", *, seed: int) -> Summary:
        """Mean over seeds and folds with its interval, and the deviations over each."""
        values = self.values(metric)
        score = score_of(float(values.mean()), self.resampled(metric, seed=seed), self.n)
        return Summary(
            score.value,
            score.low,
            score.high,
            std_over_folds=_deviation(values.mean(axis=0)),
            std_over_seeds=_deviation(values.mean(axis=1)),
            folds=values.shape[1],
            seeds=values.shape[0],
            n=self.n,
        )

    def resampled(self, metric: Metric, *, seed: int, resamples: int = RESAMPLES) -> Floats:
        """The mean score of each resample. The same seed draws the same speakers and seeds for every mode."""
        stream = numpy_stream(seed, "bootstrap")
        in_fold = self._membership()
        seeds, speakers, classes = self.counts.shape[:3]
        drawn = draw_weights(speakers, resamples, stream)[:, None, :] * in_fold
        sums = drawn @ self.counts.transpose(1, 0, 2, 3).reshape(speakers, -1).astype(np.float64)
        scores = METRICS[metric](sums.reshape(resamples, len(in_fold), seeds, classes, classes))
        luck = draw_weights(seeds, resamples * len(in_fold), stream).reshape(resamples, len(in_fold), seeds)
        by_fold = (scores * luck).sum(axis=-1) / seeds
        # A fold none of whose speakers was drawn has no score in that resample.
        tested = drawn.any(axis=-1)
        return np.asarray(by_fold.sum(axis=-1, where=tested) / tested.sum(axis=-1))

    def _membership(self) -> Floats:
        """One where a speaker (column) was tested in a fold (row)."""
        return np.asarray(np.unique(self.folds)[:, None] == np.asarray(self.folds), dtype=np.float64)


def _check(
    cells: Mapping[tuple[int, str, str], Confusion],
    seeds: Sequence[int],
    places: Sequence[tuple[str, str]],
    labels: set[tuple[str, ...]],
) -> None:
    if len(places) < 2:
        raise UserError(f"{len(places)} speaker(s) scored", remedy="a mean over folds needs two or more")
    if len(labels) > 1:
        raise UserError("confusions of different label orders", where=" against ".join(map(", ".join, sorted(labels))))
    speakers = [speaker for _, speaker in places]
    if twice := sorted({speaker for speaker in speakers if speakers.count(speaker) > 1}):
        raise UserError("a speaker was tested in more than one fold", where=", ".join(twice))
    if missing := [(seed, *place) for seed in seeds for place in places if (seed, *place) not in cells]:
        seed, fold, speaker = missing[0]
        where = f"seed {seed}, fold {fold}, speaker {speaker}"
        raise UserError(f"{len(missing)} of {len(seeds) * len(places)} scores are missing", where=f"first {where}")


def _deviation(values: Floats) -> float | None:
    return float(values.std(ddof=1)) if values.size > 1 else None
