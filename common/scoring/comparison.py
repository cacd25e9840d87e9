"""Is one mode better than another, and how much of the way from the floor to real data does it go?

Owns paired comparison, the gap closed and the share of real data's score. Must not know the modes by name.

Two questions, two answers, and `different` asks for both. The interval speaks of other speakers: it draws
them anew, the same ones for both modes. The p-value speaks of another training on the same folds: if the
mode made no difference to any fold, each pair's difference could as well have had the other sign.
"""

from dataclasses import dataclass

import numpy as np

from common.errors import UserError
from common.scoring.confusion import Floats, Metric
from common.scoring.intervals import Score, score_of
from common.scoring.outcome import Outcome
from common.seeds import numpy_stream

EXACT_PAIRS = 16
DRAWN_FLIPS = 20_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """The first mode's score minus the second's, over pairs of the same fold and seed."""

    difference: Score
    p_value: float
    pairs: int

    @property
    def different(self) -> bool:
        """Both answers say so at 5 %. Fewer than six pairs never do: their smallest p-value is above it."""
        return self.p_value < 0.05 and not self.difference.low <= 0 <= self.difference.high


def compare(first: Outcome, second: Outcome, metric: Metric = "macro_f1", *, seed: int) -> Comparison:
    """Paired comparison of two modes that were scored on the same folds, speakers and seeds."""
    _check_paired(first, second)
    differences = first.values(metric) - second.values(metric)
    resampled = first.resampled(metric, seed=seed) - second.resampled(metric, seed=seed)
    difference = score_of(float(differences.mean()), resampled, first.n)
    return Comparison(difference, sign_flip_p_value(differences, seed=seed), differences.size)


def gap_closed(mode: Outcome, floor: Outcome, real: Outcome, metric: Metric = "macro_f1", *, seed: int) -> Score | None:
    """(mode - floor) / (real - floor), drawn jointly; 0 is no better than the floor, 1 as good as real.

    None where real data is not surely above the floor: a share of a gap that may not be there means nothing.
    """
    _check_paired(mode, real)
    if compare(real, floor, metric, seed=seed).difference.low <= 0:
        return None
    bottom, top, value = (outcome.values(metric).mean() for outcome in (floor, real, mode))
    lowest, highest, reached = (outcome.resampled(metric, seed=seed) for outcome in (floor, real, mode))
    # The few resamples without a gap (at most one in forty, or we were not here) have no share to give.
    open_gap = highest > lowest
    shares = (reached - lowest)[open_gap] / (highest - lowest)[open_gap]
    return score_of(float((value - bottom) / (top - bottom)), shares, mode.n)


def share_of(mode: Outcome, real: Outcome, metric: Metric = "macro_f1", *, seed: int) -> Score:
    """Mode over real, drawn jointly: how much of real data's score a mode reaches, as the paper's own ratio."""
    _check_paired(mode, real)
    reached, whole = (outcome.resampled(metric, seed=seed) for outcome in (mode, real))
    something = whole > 0
    shares = reached[something] / whole[something]
    return score_of(float(mode.values(metric).mean() / real.values(metric).mean()), shares, mode.n)


def sign_flip_p_value(differences: Floats, *, seed: int) -> float:
    """Two-sided: how often a mean as far from zero comes up when every sign is a coin's.

    All sign patterns for 16 pairs or fewer, otherwise 20,000 drawn ones and the observed.

    >>> sign_flip_p_value(np.full(5, 0.1), seed=0)
    0.0625
    """
    flat = differences.ravel()
    pairs = flat.size
    if pairs <= EXACT_PAIRS:
        heads = np.arange(2**pairs)[:, None] >> np.arange(pairs) & 1
    else:
        heads = numpy_stream(seed, "sign flips").integers(0, 2, size=(DRAWN_FLIPS, pairs))
        heads[0] = 1  # the pattern that was observed, without which a p-value could be zero
    sums = np.abs((2 * heads - 1) @ flat)
    # Patterns equal but for rounding count as equal.
    return float((sums >= abs(flat.sum()) - 1e-12).mean())


def _check_paired(first: Outcome, second: Outcome) -> None:
    for what in ("labels", "seeds", "folds", "speakers"):
        one, other = getattr(first, what), getattr(second, what)
        if one != other:
            where = f"{', '.join(map(str, one))} against {', '.join(map(str, other))}"
            raise UserError(f"modes that differ in {what} cannot be compared", where=where)
    if not np.array_equal(first.counts.sum(axis=-1), second.counts.sum(axis=-1)):
        raise UserError("modes that were scored on different utterances cannot be compared")
