"""How private a mechanism can be at the most, given how many guesses about its coins were right.

Owns the bound of one run (Steinke, Nasr & Jagielski 2023, theorem 5.2). Must not know what was guessed from.
"""

import math

import numpy as np

from common.errors import UserError

PRECISION = 1e-9


def chance_of(right: int, guesses: int, coins: int, epsilon: float, delta: float = 0.0) -> float:
    """The largest chance, under (epsilon, delta), of so many right guesses about independent fair coins, or more.

    Under pure epsilon a guess is at best right with e^epsilon / (1 + e^epsilon), so the count is at most binomial;
    delta adds what its failures could move, each of at most `right` guesses.

    >>> chance_of(10, 10, 10, epsilon=0.0) == 2**-10
    True
    """
    _check(right, guesses, coins, epsilon, delta)
    from scipy.stats import binom

    best = 1 / (1 + math.exp(-epsilon))
    above = float(binom.sf(right - 1, guesses, best))
    if delta == 0 or right == 0:
        return above
    moved = np.arange(1, right + 1)
    gained = (binom.sf(right - moved - 1, guesses, best) - above) / moved
    return min(1.0, above + 2 * coins * delta * max(0.0, float(gained.max())))


def epsilon_at_least(right: int, guesses: int, coins: int, *, delta: float = 0.0, level: float = 0.95) -> float:
    """A lower bound of epsilon that holds with this confidence; 0 where guesses were no better than chance.

    >>> round(epsilon_at_least(100, 100, 100), 3)  # all of a hundred
    3.493
    """
    mistaken = 1 - level
    if chance_of(right, guesses, coins, 0.0, delta) >= mistaken:
        return 0.0
    low, high = 0.0, 1.0
    while chance_of(right, guesses, coins, high, delta) < mistaken:
        low, high = high, 2 * high
    while high - low > PRECISION:
        middle = (low + high) / 2
        low, high = (middle, high) if chance_of(right, guesses, coins, middle, delta) < mistaken else (low, middle)
    return low


def _check(right: int, guesses: int, coins: int, epsilon: float, delta: float) -> None:
    if not 0 <= right <= guesses <= coins or coins < 1:
        raise UserError(f"{right} right of {guesses} guesses about {coins} coins cannot be")
    if not 0 <= epsilon < math.inf or not 0 <= delta <= 1:
        raise UserError("epsilon is at least 0 and finite, delta a probability", where=f"{epsilon:g}, {delta:g}")
