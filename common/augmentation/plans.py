"""Which recordings stay as they are, which are changed and how, so that classes are balanced.

Owns the plans of Chatziagapi et al. (2019), section 2.5. Must not know sound: a plan is numbers of recordings.

The paper's names: SA adds changed copies until every class is as large as the largest. SAR also replaces so many
originals that each class has the same share of changed ones; else whether a recording is changed would tell its class.
SARM replaces in the largest class alone, SARB is SAR with background noise alone, SARS with pace and pitch alone.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from common.errors import UserError
from common.seeds import numpy_stream

Kind = Literal["TS", "PS", "GN", "BN"]
"""Time stretch, pitch shift, Gaussian noise, background noise."""
PlanName = Literal["sa", "sar", "sarm", "sarb", "sars"]
RATIOS = (0.4, 0.6, 0.8, 1.0)
"""Of the smallest class over the largest, after undersampling."""

VERSION = 1
"""Raise it when a plan or a change of sound becomes another one, so that stored units are computed anew."""
_KINDS: dict[str, tuple[Kind, ...]] = {"sarb": ("BN",), "sars": ("TS", "PS")}


@dataclass(frozen=True, slots=True)
class Changed:
    """A recording's number and what is done to it."""

    source: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Plan:
    """What a training set is made of."""

    clean: tuple[int, ...]
    changed: tuple[Changed, ...]


def kinds_of(name: PlanName) -> tuple[Kind, ...]:
    """What a plan does to recordings."""
    return _KINDS.get(name, get_args(Kind))


def signal_plan(name: PlanName, classes: ArrayLike, *, seed: int, most_of_one: int | None = None) -> Plan:
    """For recordings of these classes, each as large as the largest in the end.

    With `most_of_one`, a class gets no more than so many for each recording that it has, and may stay smaller.

    >>> plan = signal_plan("sar", [0, 0, 0, 1], seed=0)
    >>> len(plan.clean), len(plan.changed)
    (2, 4)
    """
    if name not in get_args(PlanName):
        raise UserError("no such plan", where=name, remedy=f"there is {', '.join(get_args(PlanName))}")
    by_class = _by_class(classes)
    least, most = _extremes(by_class)
    clean: list[int] = []
    changed: list[int] = []
    for number, own in by_class.items():
        shuffled = numpy_stream(seed, name, "sources", number).permutation(own)
        replaced = len(own) - least if name != "sa" and (name != "sarm" or len(own) == most) else 0
        clean += sorted(shuffled[replaced:].tolist())
        # The replaced come first, once each; what is added goes round all of the class.
        added = lacking(len(own), most, most_of_one)
        changed += [*shuffled[:replaced].tolist(), *np.resize(shuffled, added).tolist()]
    stream = numpy_stream(seed, name, "kinds")
    drawn = stream.permutation(np.resize(np.array(kinds_of(name)), len(changed)))
    return Plan(tuple(clean), tuple(Changed(*pair) for pair in zip(changed, drawn.tolist(), strict=True)))


def lacking(own: int, most: int, most_of_one: int | None) -> int:
    """How many a class lacks, or as many as may be made of what it has.

    >>> lacking(3, 30, None), lacking(3, 30, 4)
    (27, 12)
    """
    return most - own if most_of_one is None else min(most - own, most_of_one * own)


def undersampled(classes: ArrayLike, ratio: float, *, seed: int) -> NDArray[np.int64]:
    """Numbers of the recordings that are kept: no class is larger than the smallest one over the ratio.

    >>> undersampled([0, 0, 0, 0, 1, 1], 1.0, seed=0).size
    4
    """
    if not 0 < ratio <= 1:
        raise UserError("a ratio of undersampling lies above 0 and at most at 1", where=ratio)
    by_class = _by_class(classes)
    largest = int(_extremes(by_class)[0] / ratio)
    kept = [numpy_stream(seed, "undersampling", number).permutation(own)[:largest] for number, own in by_class.items()]
    return np.sort(np.concatenate(kept))


def _by_class(classes: ArrayLike) -> dict[int, NDArray[np.int64]]:
    """The recordings of each class that occurs."""
    given = np.asarray(classes)
    if not given.size:
        raise UserError("there is no recording to balance")
    return {int(number): np.flatnonzero(given == number) for number in np.unique(given)}


def _extremes(by_class: dict[int, NDArray[np.int64]]) -> tuple[int, int]:
    sizes = [len(own) for own in by_class.values()]
    return min(sizes), max(sizes)
