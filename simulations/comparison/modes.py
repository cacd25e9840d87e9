"""What a recognizer may be trained on, mode by mode.

Owns the modes' names and what each means in terms of synthesizers. Must not know how anything is computed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from common.errors import UserError
from common.synthesizers import SYNTHESIZERS
from simulations.federation.real import REAL as REAL  # a mode like the others, to all who ask here

Where = Literal["fold", "clients"]
"""Fitted once to a fold's training sessions together, or at each session as the clients of a campaign."""
FLOOR, ABLATED = "floor", "federated"


@dataclass(frozen=True)
class Mode:
    """One row of the table: what makes the samples, where it is fitted, and whether real speech is beside them."""

    name: str
    about: str
    synthesizer: str | None = None
    where: Where = "fold"
    real: bool = False


_PAPERS = (
    Mode(REAL, "the real speech of the training sessions", real=True),
    Mode("centralized", "one GAN, tuned to all training sessions of a fold", "conditional"),
    Mode("federated", "one GAN a session, tuned behind its client's door; samples pooled", "conditional", "clients"),
    Mode("baseline", "the earlier GAN of Chatziagapi et al., fitted to all training sessions of a fold", "chatziagapi"),
    Mode(FLOOR, "the pre-trained generator as it is, with random labels", "floor"),
    Mode("real+synthetic", "real speech and the centralized GAN's samples, half and half", "conditional", real=True),
)
_TAKEN = {mode.synthesizer for mode in _PAPERS}

MODES: dict[str, Mode] = {mode.name: mode for mode in _PAPERS} | {
    one.name: Mode(one.name, one.about, one.name) for one in SYNTHESIZERS.values() if one.name not in _TAKEN
}
"""In the order of the table; a synthesizer beyond the paper's is a mode of its own."""


def choose_modes(names: Sequence[str]) -> tuple[Mode, ...]:
    """Modes by name in the order of the table; all that the paper speaks of where none is named.

    >>> [mode.name for mode in choose_modes(["floor", "real"])]
    ['real', 'floor']
    """
    if unknown := [name for name in names if name not in MODES]:
        raise UserError("no such mode", where=", ".join(unknown), remedy=f"there are {', '.join(MODES)}")
    return tuple(mode for name, mode in MODES.items() if name in names) if names else _PAPERS
