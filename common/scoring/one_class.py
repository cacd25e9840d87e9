"""How well one class is heard: what a mean over classes hides where one of them was rare.

Owns its recall and the interval. Must not know why the class is looked at.
"""

from collections.abc import Sequence

import numpy as np

from common.errors import UserError
from common.scoring.confusion import Confusion, recall
from common.scoring.intervals import RESAMPLES, Score, draw_weights, score_of
from common.seeds import numpy_stream


def recall_of(label: str, speakers: Sequence[Confusion], *, seed: int, resamples: int = RESAMPLES) -> Score:
    """Of the utterances of a class, the share that was called it, by speakers drawn anew; higher is better.

    Its n are the utterances of that class. A resample without any has no recall and is left out.

    >>> heard = Confusion(("sad", "happy"), [[3, 1], [0, 4]])
    >>> print(recall_of("sad", [heard, heard], seed=0))
    0.750 [0.750, 0.750], n = 8
    """
    if not speakers:
        raise UserError("there is no speaker to score")
    total = sum(speakers[1:], start=speakers[0])
    if label not in total.labels:
        raise UserError("no such class", where=label, remedy=f"there is {', '.join(total.labels)}")
    place = total.labels.index(label)
    n = int(total.counts[place].sum())
    if not n:
        raise UserError("the test side has no utterance of the class", where=label)
    if len(speakers) == 1:
        hits = numpy_stream(seed, "bootstrap").binomial(n, recall(total.counts)[place], size=resamples)
        return score_of(float(recall(total.counts)[place]), hits / n, n, "utterance")
    stacked = np.stack([one.counts for one in speakers]).astype(np.float64)
    drawn = np.tensordot(draw_weights(len(speakers), resamples, numpy_stream(seed, "bootstrap")), stacked, 1)
    occurs = drawn[:, place].sum(axis=-1) > 0
    return score_of(float(recall(total.counts)[place]), recall(drawn[occurs])[:, place], n)
