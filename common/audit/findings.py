"""What the scores of twins show: how well they tell who was in, for whom best, and what epsilon that rules out.

Owns the statistics. Must not know how a score is made, nor what follows from a finding.

Each twin is centred on its own outsiders, emotion by emotion; then an utterance's mean of the twins that left it out is
taken away, so that each is its own control (offline form of Carlini et al. 2022).
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from common.audit.bound import epsilon_at_least
from common.audit.coins import IN, OUT, Coins, check_coins
from common.errors import UserError
from common.scoring.confusion import Floats
from common.scoring.families import holm
from common.scoring.intervals import draw_weights
from common.seeds import numpy_stream

RESAMPLES = 1000
ONE_SIDED = 0.95
CLUSTERS = 8
"""Speakers from which on they are drawn for an interval, and not utterances."""
GUESSED = 0.25
"""Of all coins: so many utterances with the highest scores are guessed to be in, as many with the lowest to be out."""
LEAST = 2
"""Twins with an utterance, and twins without, between which a difference has a deviation."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Of one audit.

    Args:
        auc: chance that a twin scores an utterance higher that was in than one that was not; 0.5 tells nothing.
        low: one-sided lower bound of it, 95 %.
        high: one-sided upper bound, 95 %.
        worst: corrected p-value of the utterance that was told best.
        epsilon: at least so large is any epsilon that the release could claim, 95 %.
        utterances: with coins.
        twins: that were fitted.
    """

    auc: float
    low: float
    high: float
    worst: float
    epsilon: float
    utterances: int
    twins: int


def findings(
    scores: Floats,
    coins: Coins,
    labels: NDArray[np.int64],
    speakers: NDArray[np.int64],
    seed: int,
    *,
    among: int = 1,
) -> Findings:
    """Of scores [twins, utterances], which are one of several that are looked at; each may err the less often."""
    check_coins(coins)
    if scores.shape != coins.shape or not np.isfinite(scores).all():
        raise UserError(f"scores of shape {scores.shape} for coins of shape {coins.shape}, or not finite")
    own = calibrated(scores, coins, labels)
    groups = speakers if len(np.unique(speakers)) >= CLUSTERS else np.arange(len(labels))
    won, pairs = _pairs(own, coins, groups)
    drawn = draw_weights(len(won), RESAMPLES, numpy_stream(seed, "utterances"))
    told = _told(drawn, won, pairs)
    auc = float(won.sum() / pairs.sum())
    low, high = np.quantile(told[np.isfinite(told)], [(1 - ONE_SIDED) / among, ONE_SIDED])
    return Findings(
        auc=auc,
        low=min(float(low), auc),
        high=max(float(high), auc),
        worst=min(1.0, among * _worst(own, coins)),
        epsilon=_epsilon(scores, coins, labels, 1 - (1 - ONE_SIDED) / among),
        utterances=len(labels),
        twins=len(coins),
    )


def most(found: Sequence[Findings]) -> Findings:
    """What several scores show together: as much as the one that shows most."""
    return replace(
        found[0],
        auc=max(one.auc for one in found),
        low=max(one.low for one in found),
        high=max(one.high for one in found),
        worst=min(one.worst for one in found),
        epsilon=max(one.epsilon for one in found),
    )


def calibrated(scores: Floats, coins: Coins, labels: NDArray[np.int64]) -> Floats:
    """Scores less what the twin gives to outsiders of the emotion, less what the utterance gets from other twins.

    No number where an utterance has no coin, or no other twin left it out.
    """
    centred = np.full_like(scores, np.nan)
    scores = scores - scores.mean(axis=0)  # else who happens to be outside would move a twin's level
    for emotion in np.unique(labels):
        here = labels == emotion
        outsiders = _mean(np.where(coins[:, here] == OUT, scores[:, here], np.nan), axis=1)
        centred[:, here] = scores[:, here] - outsiders[:, None]
    out = np.where(coins == OUT, centred, np.nan)
    own = np.full_like(scores, np.nan)
    for twin in range(len(coins)):
        own[twin] = centred[twin] - _mean(np.delete(out, twin, axis=0), axis=0)
    own[(coins != IN) & (coins != OUT)] = np.nan
    return own


def _mean(values: Floats, axis: int) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of nothing, which is no number
        return np.asarray(np.nanmean(values, axis=axis))


def _pairs(own: Floats, coins: Coins, groups: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """[groups, groups] each: pairs that were told right, of an insider of one and an outsider of another; and all."""
    numbers, place = np.unique(groups, return_inverse=True)
    inside, outside = (np.isfinite(own) & (coins == kind) for kind in (IN, OUT))
    if not inside.any() or not outside.any():
        raise UserError("no utterance was in one twin and out of another", remedy="audit with more twins or utterances")
    sides = []
    for side in (inside, outside):
        values, owner = own[side], place[np.nonzero(side)[1]]
        order = np.argsort(owner, kind="stable")
        sides.append((values[order], owner[order]))
    (high, mine), (low, theirs) = sides
    count = len(numbers)
    won = np.zeros((count, count))
    for group in np.unique(mine):
        values = high[mine == group][:, None]
        right = (values > low).sum(axis=0) + 0.5 * (values == low).sum(axis=0)
        won[group] = np.bincount(theirs, weights=right, minlength=count)
    pairs = np.outer(np.bincount(mine, minlength=count), np.bincount(theirs, minlength=count)).astype(np.float64)
    return won, pairs


def _told(drawn: Floats, won: Floats, pairs: Floats) -> Floats:
    """The AUC of each resample."""
    with np.errstate(invalid="ignore"):
        return np.asarray(((drawn @ won) * drawn).sum(axis=1) / ((drawn @ pairs) * drawn).sum(axis=1))


def _worst(own: Floats, coins: Coins) -> float:
    """The smallest p-value of a one-sided t-test in against out, an utterance, after Holm."""
    from scipy.stats import t

    p_values = {}
    for number, (column, thrown) in enumerate(zip(own.T, coins.T, strict=True)):
        usable = np.isfinite(column)
        inside, outside = column[usable & (thrown == IN)], column[usable & (thrown == OUT)]
        if min(len(inside), len(outside)) < LEAST:
            p_values[number] = 1.0
            continue
        free = len(inside) + len(outside) - 2
        pooled = (inside.var() * len(inside) + outside.var() * len(outside)) / free
        apart = float(inside.mean() - outside.mean())
        if pooled > 0:
            apart /= float(np.sqrt(pooled * (1 / len(inside) + 1 / len(outside))))
            p_values[number] = float(t.sf(apart, free))
        else:
            p_values[number] = 0.0 if apart > 0 else 1.0
    return min(holm(p_values).values())


def _epsilon(scores: Floats, coins: Coins, labels: NDArray[np.int64], level: float) -> float:
    """Guesses come from the scores alone: what they are corrected by knows no coin, or the bound would not hold."""
    centred = scores - scores.mean(axis=0)
    for emotion in np.unique(labels):
        here = labels == emotion
        centred[:, here] -= centred[:, here].mean(axis=1, keepdims=True)
    thrown = (coins == IN) | (coins == OUT)
    order = np.argsort(centred[thrown], kind="stable")
    is_in = (coins == IN)[thrown][order]
    each = int(GUESSED * len(order))
    right = int(is_in[len(order) - each :].sum() + (~is_in[:each]).sum())
    return epsilon_at_least(right, 2 * each, len(order), level=level) if each else 0.0
