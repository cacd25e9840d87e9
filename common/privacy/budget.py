"""What a site may tell about its speech in its whole life, and what it has told.

Owns the sum and the refusal. Must not know where it is written down: whoever keeps it writes before anything leaves.
"""

from dataclasses import dataclass, replace

from common.errors import UserError
from common.privacy.accountant import check_delta, check_epsilon, epsilon_of, signal_for, together


class Spent(UserError):  # noqa: N818 - it is a state of a budget
    """A release that the budget no longer holds."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Of differential privacy: epsilon at a delta, for one utterance added or removed, over all releases together.

    Args:
        epsilon: the limit.
        delta: at which it is meant.
        signal: of all that was released, as one mechanism.

    >>> budget = Budget(epsilon=8.0, delta=1e-5).charged(signal_for(4.0, 1e-5))
    >>> round(budget.spent, 6)
    4.0
    """

    epsilon: float
    delta: float
    signal: float = 0.0

    def __post_init__(self) -> None:
        check_epsilon(self.epsilon)
        check_delta(self.delta)
        if not 0 <= self.signal < float("inf"):
            raise UserError("a budget cannot have spent", where=self.signal)

    @property
    def spent(self) -> float:
        """Epsilon of all that was released."""
        return epsilon_of(self.signal, self.delta)

    def charged(self, signal: float) -> "Budget":
        """After one more mechanism; refused where its epsilon would pass the limit. Nothing is ever given back."""
        if not 0 < signal < float("inf"):
            raise UserError("a mechanism without noise or without a question cannot be charged", where=signal)
        after = replace(self, signal=together(self.signal, signal))
        # Compared by signal, in which the limit is known to the last digits.
        if after.signal > signal_for(self.epsilon, self.delta) * (1 + 1e-9):
            what = f"a release would bring epsilon from {self.spent:.3g} to {after.spent:.3g} of {self.epsilon:.3g}"
            raise Spent(what, remedy="ask with more noise, or let the steward decide on a larger budget")
        return after
