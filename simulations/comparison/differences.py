"""Differences of scores on the same folds and seeds, alone and among all that are told together.

Owns their form and Holm's correction of a family. Must not know modes, arms or settings.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from common.scoring import Metric, Outcome, compare
from common.scoring.families import holm
from simulations.comparison.schema import Difference

Found = TypeVar("Found", bound=Difference)
SURE = 0.05


def compared(one: Outcome, other: Outcome, metric: Metric, seed: int) -> dict[str, Any]:
    """One minus the other, with what makes it sure or not."""
    found = compare(one, other, metric, seed=seed)
    score = found.difference
    interval = {"difference": score.value, "low": score.low, "high": score.high}
    return interval | {"p_value": found.p_value, "pairs": found.pairs, "different": found.different}


def same_seeds(outcomes: Sequence[Outcome]) -> list[Outcome] | None:
    """Cut to the seeds that all of them have, or nothing."""
    common = sorted(set.intersection(*(set(outcome.seeds) for outcome in outcomes)))
    if not common:
        return None
    return [
        Outcome(one.labels, tuple(common), one.speakers, one.folds, one.counts[[one.seeds.index(s) for s in common]])
        for one in outcomes
    ]


def corrected(family: Sequence[Found]) -> list[Found]:
    """Differences that are told together: each is sure only if its p holds among all of them."""
    after = holm({number: one.p_value for number, one in enumerate(family)})
    return [
        replace(one, holm=after[number], different=one.different and after[number] < SURE)
        for number, one in enumerate(family)
    ]
