"""Which recognizers a campaign trains, from whose generators, and where each is scored.

Owns the plans. Must not know how any of it is done.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from common.errors import UserError

EVERYONE = "everyone"


@dataclass(frozen=True)
class Fold:
    """One recognizer: pooled from these sessions, scored at those."""

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]


Plan = Callable[[Sequence[str]], tuple[Fold, ...]]


def leave_one_out(sessions: Sequence[str]) -> tuple[Fold, ...]:
    """A recognizer for each session, from all the others' generators.

    >>> leave_one_out(["a", "b", "c"])[0]
    Fold(name='a', train=('b', 'c'), test=('a',))
    """
    if len(sessions) < 2:
        remedy = f"mend the other clients, or choose the plan {EVERYONE}"
        raise UserError("leave-one-out needs two generators", where=", ".join(sessions), remedy=remedy)
    return tuple(Fold(out, tuple(name for name in sessions if name != out), (out,)) for out in sessions)


def everyone(sessions: Sequence[str]) -> tuple[Fold, ...]:
    """Production: one recognizer from all generators, scored wherever there is labelled speech."""
    return (Fold(EVERYONE, tuple(sessions), tuple(sessions)),)


PLANS: dict[str, Plan] = {"leave-one-out": leave_one_out, EVERYONE: everyone}
