"""What a recognizer may be trained on, mode by mode.

Owns the modes' names and what each means in terms of synthesizers. Must not know how anything is computed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from common.augmentation import STAYS
from common.augmentation.plans import RATIOS
from common.errors import UserError
from common.settings import MethodsConfig
from common.spaces import PATCHES, Space, Vectors
from common.synthesizers import SYNTHESIZERS

Where = Literal["fold", "clients"]
"""Fitted once to a fold's training sessions together, or at each session as the clients of a campaign."""
STAYS_MARK = " †"
"""Behind the name of what cannot leave the place of the recordings."""
REAL, FLOOR, ABLATED = "real", "floor", "federated"


@dataclass(frozen=True)
class Mode:
    """One row of the table: what makes the samples, where it is fitted, and whether real speech is beside them."""

    name: str
    about: str
    synthesizer: str | None = None
    where: Where = "fold"
    real: bool = False
    augmentation: str | None = None
    """Makes samples of the recordings themselves, in place of a synthesizer: only where the recordings are."""
    ratio: float | None = None
    """Of the smallest emotion over the largest, where recordings are left out."""
    rounds: int = 0
    """Of averaging the dense network over sites that hold real speech; then it reads, whichever the recognizer is."""

    @property
    def samples(self) -> str:
        """What its samples are called beside those of others; a control of quality is called `copying` too."""
        return self.name if self.augmentation is None else self.name + STAYS_MARK

    @property
    def balances(self) -> bool:
        """Whether it makes emotions alike in the real speech itself, instead of samples beside it."""
        return self.augmentation in BALANCING or self.ratio is not None

    def is_of(self, space: Space) -> bool:
        """Whether its samples, if any, are examples of this space."""
        if self.balances:
            return True
        if self.augmentation is not None or self.rounds:
            return isinstance(space, Vectors)
        return self.synthesizer is None or type(space) in SYNTHESIZERS.get(self.synthesizer).spaces


AT_DATA = {
    "copying": "The recordings' own vectors, each as often as any other of its emotion.",
    "noise": "Copies of the recordings' vectors with Gaussian noise.",
    "smote": "Points between a recording's vector and one of its nearest of the same emotion.",
}

BALANCING: dict[str, str] = {
    "sa": "Real speech, and of each emotion as many changed copies as make it as frequent as the most frequent one.",
    "sar": "The same, and so many recordings replaced by changed ones that emotions have as many changed ones each.",
    "sarm": "As sa, with recordings of the most frequent emotion replaced.",
    "sarb": "As sar, with background noise alone.",
    "sars": "As sar, with pace and pitch alone.",
}
UNDERSAMPLING = "undersampling"
LEFT_OUT = "Real speech, of no emotion more than the rarest one has over {:g}."

AVERAGING = "The dense network, averaged over sites that train it on their real speech in turns."
ROUNDS = {1: "1 round", 5: "5 rounds", 20: "20 rounds"}


def _modes() -> dict[str, Mode]:
    """The paper's own rows, then each other synthesizer fitted to a fold, and at sites where it may leave them."""
    paper = MethodsConfig().synthesizer
    modes = [
        Mode(REAL, "the real speech of the training sessions", real=True),
        Mode("centralized", "one synthesizer, fitted to all training sessions of a fold", paper),
        Mode(ABLATED, "one synthesizer a session, fitted behind its site's door; samples pooled", paper, "clients"),
    ]
    for one in SYNTHESIZERS:
        if one.name != paper:
            modes.append(Mode(one.title, one.about, one.name))
            if one.reach == "anywhere" and one.name != FLOOR:
                modes.append(Mode(f"{one.title}, federated", f"{one.about} Fitted at each site.", one.name, "clients"))
    modes += [Mode(name, about, augmentation=name) for name, about in AT_DATA.items()]
    modes += [Mode(name, about, augmentation=name) for name, about in BALANCING.items()]
    modes += [
        Mode(f"{UNDERSAMPLING} {ratio:g}", LEFT_OUT.format(ratio), augmentation=UNDERSAMPLING, ratio=ratio)
        for ratio in RATIOS
    ]
    modes += [Mode(f"federated averaging, {many}", AVERAGING, rounds=rounds) for rounds, many in ROUNDS.items()]
    modes.append(Mode("real+synthetic", "real speech and the centralized samples, half and half", paper, real=True))
    return {mode.name: mode for mode in modes}


MODES = _modes()
"""In the order of the table."""
SPOKEN = {name.replace(",", ""): name for name in MODES}
"""Without a comma, as a list on the command line must have them."""
EACH = {UNDERSAMPLING: tuple(name for name, mode in MODES.items() if mode.ratio is not None)}
"""One name for several modes."""
_FEDERATED = " federated"
PAPERS = (REAL, "centralized", ABLATED, "baseline", FLOOR, "real+synthetic")
"""What the paper speaks of: the rows where none is named."""


def choose_modes(names: Sequence[str], space: Space = PATCHES) -> tuple[Mode, ...]:
    """Modes by name in the order of the table; where none is named, all that the paper speaks of or that make vectors.

    >>> [mode.name for mode in choose_modes(["baseline federated", "real"])]
    ['real', 'baseline, federated']
    """
    asked = [SPOKEN.get(name, name) for name in names]
    if staying := [name for name in asked if _at_site_only(name)]:
        what = _at_site_only(staying[0])
        remedy = f"compare it where the recordings are: --modes 'real,{what}'"
        raise UserError(
            f"{STAYS[MODES[what].augmentation or what]}; it does not leave a site", where=staying[0], remedy=remedy
        )
    asked = [other for name in asked for other in EACH.get(name, (name,))]
    possible = {name: mode for name, mode in MODES.items() if mode.is_of(space)}
    if unknown := [name for name in asked if name not in MODES]:
        raise UserError("no such mode", where=", ".join(unknown), remedy=f"there are {', '.join(possible)}")
    if strange := [name for name in asked if name not in possible]:
        remedy = f"the recognizer reads {space.kind}; there are {', '.join(possible)}"
        raise UserError(f"not a mode of {space.kind}", where=", ".join(strange), remedy=remedy)
    usual = [name for name, mode in possible.items() if not mode.balances]
    wanted = asked or (usual if isinstance(space, Vectors) else PAPERS)
    return tuple(mode for name, mode in possible.items() if name in wanted)


def _at_site_only(name: str) -> str:
    """The mode at the data, of a name that asks for it federated; else nothing."""
    what = name.removesuffix(_FEDERATED)
    known = EACH.get(what, (what,))[0]
    return known if what != name and known in MODES and MODES[known].augmentation is not None else ""
