"""Which utterances each twin of a release is fitted to: about half of them, by coins that the site throws.

Owns the coins. Must not know what is fitted.

A fit needs some utterances of every emotion. So in each twin two of each emotion, drawn by lot, are always in and not
looked at; all others have a fair coin of their own. Were halves made equal instead, coins would tell of each other, and
no bound would hold.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from common.errors import UserError
from common.seeds import numpy_stream

Coins = NDArray[np.int8]
"""[twins, utterances]."""
OUT, IN, ALWAYS = 0, 1, 2
ANCHORS = 2


def throw(labels: ArrayLike, twins: int, seed: int) -> Coins:
    """Coins for so many twins; an emotion that nobody spoke has none.

    >>> coins = throw([0] * 6 + [1] * 6, twins=2, seed=0)
    >>> (coins == ALWAYS).sum(axis=1).tolist()
    [4, 4]
    """
    classes = np.asarray(labels, dtype=np.int64)
    if not classes.size:
        raise UserError("there is no utterance to audit")
    coins = np.empty((twins, len(classes)), dtype=np.int8)
    for number, row in enumerate(coins):
        stream = numpy_stream(seed, "coins", number)
        row[:] = stream.integers(2, size=len(classes))
        for emotion in np.unique(classes):
            row[stream.permutation(np.flatnonzero(classes == emotion))[:ANCHORS]] = ALWAYS
    return coins


def check_coins(coins: Coins) -> None:
    """That they can be audited: each twin leaves somebody out and takes somebody in, and twins differ."""
    for number, row in enumerate(coins):
        if not (row == IN).any() or not (row == OUT).any():
            remedy = "audit with more utterances"
            raise UserError("the coins of a twin are all alike", where=f"twin {number + 1}", remedy=remedy)
    if len(coins) < 2 or (coins == coins[0]).all():
        raise UserError("twins were fitted to the same utterances", remedy="throw coins for each twin")


def members(row: NDArray[np.int8]) -> NDArray[np.int64]:
    """Numbers of the utterances that a twin is fitted to."""
    return np.flatnonzero(row != OUT)
