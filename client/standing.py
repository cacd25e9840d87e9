"""What a site has given so far and has left to give, rule by rule: the sums that the judges of `client.budgets` use.

Owns the list of a policy's quotas. Must not know how they are shown. It reads a ledger without a lock and changes
nothing, so that a keeper may be at work.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from client.history import Entry, History
from client.policy import MEBIBYTE, Policy
from common.privacy.accountant import together
from common.privacy.budget import Budget

Span = Literal["in all", "in 24 hours"]


@dataclass(frozen=True)
class Quota:
    """One rule of a policy that runs out.

    Args:
        rule: its name in the policy.
        what: that is counted, in words.
        used: so far.
        limit: of the rule.
        span: over which it counts.
    """

    rule: str
    what: str
    used: float
    limit: float
    span: Span

    @property
    def left(self) -> float:
        """What may still be given; nothing where the rule was narrowed since."""
        return max(0.0, self.limit - self.used)

    def line(self) -> str:
        """For a person.

        >>> Quota("releases_in_all", "releases", 3, 20, "in all").line()
        'releases: 3 of 20 in all, 17 left'
        """
        used, limit, left = map(plainly, (self.used, self.limit, self.left))
        return f"{self.what}: {used} of {limit} {self.span}, {left} left"


def plainly(number: float) -> str:
    """Three decimals at the most, and no powers of ten.

    >>> plainly(1e6), plainly(1.1259), plainly(3.0)
    ('1,000,000', '1.126', '3')
    """
    return f"{number:,.3f}".rstrip("0").rstrip(".")


def history_of(entries: Iterable[Entry], now: datetime) -> History:
    """Sums over entries; the day's are those of the day before this moment."""
    history = History()
    for entry in entries:
        history.add(entry)
    history.move_to(now)
    return history


def quotas(history: History, spent: Mapping[str, float], policy: Policy) -> tuple[Quota, ...]:
    """Every rule that runs out, those of the site's life first; `spent` is known of privacy beside the ledger."""
    signal = together(*{**spent, **history.signals}.values())
    told = Budget(policy.epsilon_in_all, policy.delta_in_all, signal).spent if signal else 0.0
    privacy = f"epsilon of differential privacy at delta {policy.delta_in_all:g}"
    return (
        Quota("releases_in_all", "releases", len(history.made_in_all()), policy.releases_in_all, "in all"),
        Quota("scorings_in_all", "scorings", len(history.begun_in_all("score")), policy.scorings_in_all, "in all"),
        Quota("epsilon_in_all", privacy, told, policy.epsilon_in_all, "in all"),
        Quota("tunings_a_day", "tunings", len(history.made_today()), policy.tunings_a_day, "in 24 hours"),
        Quota("scorings_a_day", "scorings", len(history.begun_today("score")), policy.scorings_a_day, "in 24 hours"),
        Quota("mebibytes_a_day", "MiB", history.bytes_today / MEBIBYTE, policy.mebibytes_a_day, "in 24 hours"),
        Quota("refusals_a_day", "refusals", history.refused_today, policy.refusals_a_day, "in 24 hours"),
    )
