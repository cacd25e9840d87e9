"""How sure a score is: a value with its interval, and the bootstrap over speakers that gives it.

Owns the Score and the drawing of speakers. Must not know what a mode or a fold is.

Speakers, not utterances, are drawn, because what two utterances of one speaker have in common is no second
piece of evidence. The interval is the plain percentile one, which is too short where speakers are few: in
simulations it held the truth 0.94 times with twenty speakers, 0.92 with ten, 0.85 with five and 0.50 with two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from common.errors import UserError
from common.scoring.confusion import METRICS, Confusion, Floats, Metric
from common.seeds import numpy_stream

RESAMPLES = 4000
LEVEL = 0.95
Unit = Literal["speaker", "utterance"]


@dataclass(frozen=True, slots=True)
class Score:
    """A value, its 95 % interval, the utterances behind it, and what was drawn anew to get the interval.

    >>> print(Score(0.634, 0.551, 0.7, n=339))
    0.634 [0.551, 0.700], n = 339
    """

    value: float
    low: float
    high: float
    n: int
    unit: Unit = "speaker"

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}], n = {self.n}"


def bootstrap(
    clusters: Sequence[Confusion], metric: Metric = "macro_f1", *, seed: int, resamples: int = RESAMPLES
) -> Score:
    """The metric of all clusters together, with an interval from drawing them anew; a cluster is a speaker.

    One cluster alone cannot be drawn from: then its utterances are, and the score's unit says so.

    >>> one = Confusion(("sad", "happy"), [[30, 10], [10, 30]])
    >>> bootstrap([one], "accuracy", seed=0).unit
    'utterance'
    """
    if not clusters:
        raise UserError("there is no speaker to score")
    total = sum(clusters[1:], start=clusters[0])
    stream = numpy_stream(seed, "bootstrap")
    if len(clusters) == 1:
        shares = total.counts.ravel() / total.n
        drawn = stream.multinomial(total.n, shares, size=resamples).astype(np.float64)
    else:
        stacked = np.stack([cluster.counts.ravel() for cluster in clusters]).astype(np.float64)
        drawn = draw_weights(len(clusters), resamples, stream) @ stacked
    scores = METRICS[metric](drawn.reshape(resamples, *total.counts.shape))
    unit: Unit = "utterance" if len(clusters) == 1 else "speaker"
    return score_of(float(METRICS[metric](total.counts)), scores, total.n, unit)


def draw_weights(units: int, resamples: int, stream: np.random.Generator) -> Floats:
    """How often each unit comes up in each resample, [resamples, units]; a row sums to `units`."""
    return stream.multinomial(units, np.full(units, 1 / units), size=resamples).astype(np.float64)


def score_of(value: float, resampled: Floats, n: int, unit: Unit = "speaker") -> Score:
    """A value with the percentile interval of its resamples."""
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    # Resamples of a few speakers can all lie on one side of the value: the interval is widened to hold it.
    return Score(value, min(float(low), value), max(float(high), value), n, unit)
