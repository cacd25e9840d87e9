"""Epsilon, delta and noise of Gaussian mechanisms, one or many.

Owns the exact relation between the three. Must not know what is measured. Everything here is exact, not a bound: the
privacy of a Gaussian mechanism hangs on one number, its sensitivity over its noise ("signal" below), and several of
them are one whose squared signal is the sum of theirs (Dong, Roth & Su 2022, corollary 3.3).
"""

import math

from common.errors import UserError

PRECISION = 1e-12
"""Relative, of what is searched for."""
LARGEST_EPSILON = 100.0
"""Beyond which nobody means privacy."""


def delta_of(epsilon: float, signal: float) -> float:
    """The smallest delta at an epsilon (Balle & Wang 2018, theorem 8), for sensitivity over noise.

    >>> round(delta_of(0.0, 1.0), 4)  # the chance by which one draw tells apart two normal laws at distance 1
    0.3829
    """
    if signal <= 0:
        return 0.0
    from scipy.special import log_ndtr, ndtr

    half, shift = signal / 2, epsilon / signal
    # The product as a sum of logarithms: e^epsilon overflows long before the product does.
    return max(0.0, float(ndtr(half - shift)) - math.exp(epsilon + float(log_ndtr(-half - shift))))


def epsilon_of(signal: float, delta: float) -> float:
    """The smallest epsilon at a delta."""
    check_delta(delta)
    if delta_of(0.0, signal) <= delta:
        return 0.0
    high = 1.0
    while delta_of(high, signal) > delta:
        high *= 2
    low = 0.0
    while high - low > PRECISION * high:
        middle = (low + high) / 2
        low, high = (middle, high) if delta_of(middle, signal) > delta else (low, middle)
    return high


def signal_for(epsilon: float, delta: float) -> float:
    """The largest sensitivity over noise that keeps epsilon and delta (Balle & Wang 2018, algorithm 1).

    >>> round(1 / signal_for(1.0, 1e-5), 3)  # noise in units of the sensitivity
    3.731
    """
    check_epsilon(epsilon)
    check_delta(delta)
    low, high = 0.0, 1.0
    while delta_of(epsilon, high) < delta:
        high *= 2
    while high - low > PRECISION * high:
        middle = (low + high) / 2
        low, high = (middle, high) if delta_of(epsilon, middle) <= delta else (low, middle)
    return low


def together(*signals: float) -> float:
    """The one mechanism that several are, whoever chooses the later ones and however.

    >>> together(3.0, 4.0)
    5.0
    """
    return math.hypot(*signals)


def check_epsilon(epsilon: float) -> None:
    """That it is one."""
    if not 0 < epsilon <= LARGEST_EPSILON:
        remedy = f"choose above 0 and at most {LARGEST_EPSILON:g}"
        raise UserError("no epsilon that means anything", where=epsilon, remedy=remedy)


def check_delta(delta: float, utterances: int | None = None) -> None:
    """That it is a probability, and below one in so many utterances: else all of a recording may leave with it."""
    if not 0 < delta < 1:
        raise UserError("delta lies between 0 and 1", where=delta)
    if utterances is not None and delta * utterances >= 1:
        what = f"delta {delta:g} is not below one in {utterances} utterances"
        raise UserError(what, remedy=f"choose below {1 / utterances:.2g}")
