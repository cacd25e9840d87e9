"""Which recognizers a campaign trains, from whose generators, and where each is scored.

Owns the plans: that of a protocol, and that of production. Must not know how any of it is done.
"""

from collections.abc import Callable, Sequence

from common.config import Config
from common.errors import UserError
from common.protocols import PROTOCOLS, Cut, protocol

EVERYONE = "everyone"
Plan = Callable[[Sequence[str]], tuple[Cut, ...]]


def plan_of(name: str, config: Config) -> Plan:
    """By its name: everyone, or a protocol that cuts by sessions' names, which are all that a server knows."""
    if name == EVERYONE:
        return everyone
    if name not in plan_names():
        raise UserError("no such plan", where=name, remedy=f"there are {', '.join(plan_names())}")
    one = protocol(name)
    cuts, settings = one.cuts, one.settings_of(config)

    def plan(sessions: Sequence[str]) -> tuple[Cut, ...]:
        if cuts is None or len(sessions) < 2:
            remedy = f"mend the other clients, or choose the plan {EVERYONE}"
            raise UserError(f"{name} needs two generators", where=", ".join(sessions), remedy=remedy)
        return cuts(sessions, settings)

    return plan


def plan_names() -> tuple[str, ...]:
    """All that there are."""
    return (*(one.name for one in PROTOCOLS if one.cuts is not None), EVERYONE)


def everyone(sessions: Sequence[str]) -> tuple[Cut, ...]:
    """Production: one recognizer from all generators, scored wherever there is labelled speech."""
    return (Cut(EVERYONE, tuple(sessions), tuple(sessions)),)
