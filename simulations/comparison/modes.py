"""What a recognizer may be trained on, mode by mode.

Owns the modes' names and what each means in terms of synthesizers. Must not know how anything is computed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from common.augmentation import STAYS
from common.augmentation.plans import RATIOS
from common.config import Config
from common.config.loading import changed
from common.errors import UserError
from common.release import ReleaseConfig
from common.settings import MethodsConfig
from common.spaces import PATCHES, Space, Vectors
from common.synthesizers import SYNTHESIZERS, synthesizer
from common.wire.terms import asked_form, form_of, refuse_distilling

Where = Literal["fold", "clients", "sum"]
"""Fitted once to a fold's training sessions together, or at each session as the clients of a campaign, or to a sum over
sessions of which nobody sees a part."""
STAYS_MARK = " †"
"""Behind the name of what cannot leave the place of the recordings."""
COMMON = "seed", "corpus", "features", "vectors", "network"
"""What all rows of a comparison share."""
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
    settings: tuple[str, ...] = ()
    """Of its own, as `--set` has them."""

    def of(self, config: Config) -> Config:
        """The configuration that this row is computed under."""
        own = changed(config, self.settings, f"the row {self.name}") if self.settings else config
        self._refuse_form(own)
        if shared := [name for name in COMMON if getattr(own, name) != getattr(config, name)]:
            remedy = "rows of one comparison share their speech and its features: run another one"
            raise UserError(f"the row {self.name} changes {', '.join(shared)}", remedy=remedy)
        return own

    def _refuse_form(self, own: Config) -> None:
        """A form that its release cannot have is named before anything is fitted."""
        if self.synthesizer is None or self.where == "sum" or own.release == ReleaseConfig():
            return
        from common.features.spaces import space_of  # seconds, which a list of modes should not pay

        one, space, classes = synthesizer(self.synthesizer), space_of(own), own.corpus.classes
        problem, settings = "", one.settings_of(own)
        if own.release.distilled:
            try:
                refuse_distilling(one)
            except ValueError as error:
                problem = str(error)
        if not problem and type(space) in one.spaces:
            form = form_of(**asked_form(own.finetuning.released_as, own.release))
            shapes = one.shapes(settings, space, classes)
            problem = form.misfit(shapes, based=bool(one.base(settings, classes))) or ""
        if problem:
            raise UserError(f"the row {self.name}: {problem}", remedy="or leave the row out with --modes")

    @property
    def samples(self) -> str:
        """What its samples are called beside those of others; a control of quality is called `copying` too."""
        return self.name if self.augmentation is None else self.name + STAYS_MARK

    @property
    def draws(self) -> bool:
        """Whether its recognizer hears samples, so that without any it hears real speech alone."""
        return self.synthesizer is not None or (self.augmentation is not None and not self.balances)

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
        if self.where == "sum":
            return isinstance(space, Vectors) and space.scale == "public"  # sites add up numbers of one meaning
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

SUMMED = "Of a sum over sites, of which nobody sees a part."
AVERAGING = "The dense network, averaged over sites that train it on their real speech in turns."
ROUNDS = {1: "1 round", 5: "5 rounds", 20: "20 rounds"}


def _modes() -> dict[str, Mode]:
    """The paper's own rows, then each other synthesizer fitted to a fold, and at sites where it may leave them."""
    paper = MethodsConfig().synthesizer
    modes = [
        Mode(REAL, "the real speech of the training sessions", real=True),
        Mode("centralized", "one synthesizer, fitted to all training sessions of a fold", paper),
        Mode(ABLATED, "one synthesizer a session, fitted at its site; samples pooled", paper, "clients"),
    ]
    for one in SYNTHESIZERS:
        if one.name != paper:
            modes.append(Mode(one.title, one.about, one.name))
            if one.reach == "anywhere" and one.name != FLOOR:
                modes.append(Mode(f"{one.title}, federated", f"{one.about} Fitted at each site.", one.name, "clients"))
            if one.sums is not None:
                modes.append(Mode(f"{one.title}, summed", f"{one.about} {SUMMED}", one.name, "sum"))
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


def modes_of(config: Config) -> dict[str, Mode]:
    """All modes, and after them the rows that a configuration adds."""
    added = {}
    for name, spoken, *settings in config.compare.rows:
        mode = MODES.get(SPOKEN.get(spoken, spoken))
        if mode is None or name in MODES or "," in spoken:
            what = "its name is taken" if name in MODES else f"there is no mode {spoken}, spelled without a comma"
            raise UserError(f"the row {name} cannot be: {what}", where="compare.rows")
        about = f"{mode.about} With {', '.join(settings)}." if settings else mode.about
        added[name] = replace(mode, name=name, about=about, settings=tuple(settings))
    return MODES | added


def mode_of(name: str, config: Config) -> Mode:
    """One of them."""
    return MODES[name] if name in MODES else modes_of(config)[name]


def choose_modes(names: Sequence[str], space: Space = PATCHES, config: Config | None = None) -> tuple[Mode, ...]:
    """Modes by name in the order of the table, and the rows that a configuration adds.

    Where none is named, those that the configuration names, in its order; else all that the paper speaks of or that
    make vectors.

    >>> [mode.name for mode in choose_modes(["baseline federated", "real"])]
    ['real', 'baseline, federated']
    """
    every = MODES if config is None else modes_of(config)
    spoken = {name.replace(",", ""): name for name in every}
    own = () if config is None or names else config.compare.modes
    asked = [spoken.get(name, name) for name in names or own]
    if staying := [name for name in asked if _at_site_only(name)]:
        what = _at_site_only(staying[0])
        remedy = f"compare it where the recordings are: --modes 'real,{what}'"
        raise UserError(
            f"{STAYS[MODES[what].augmentation or what]}; it does not leave a site", where=staying[0], remedy=remedy
        )
    asked = [other for name in asked for other in EACH.get(name, (name,))]
    possible = {name: mode for name, mode in every.items() if mode.is_of(space)}
    listed = ", ".join(name.replace(",", "") for name in possible)  # as they are typed
    if unknown := [name for name in asked if name not in every]:
        raise UserError("no such mode", where=", ".join(unknown), remedy=f"there are {listed}")
    if strange := [name for name in asked if name not in possible]:
        remedy = f"the recognizer reads {space.kind}; there are {listed}"
        raise UserError(f"not a mode of {space.kind}", where=", ".join(strange), remedy=remedy)
    if own:
        return tuple(possible[name] for name in dict.fromkeys(asked))
    usual = [name for name, mode in possible.items() if not mode.balances]
    wanted = asked or (usual if isinstance(space, Vectors) else PAPERS)
    return tuple(mode for name, mode in possible.items() if name in wanted)


def _at_site_only(name: str) -> str:
    """The mode at the data, of a name that asks for it federated; else nothing."""
    what = name.removesuffix(_FEDERATED)
    known = EACH.get(what, (what,))[0]
    return known if what != name and known in MODES and MODES[known].augmentation is not None else ""
