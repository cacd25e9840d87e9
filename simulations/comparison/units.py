"""The units of a comparison: what is computed once, from what, and under which name it is kept.

Owns the graph and each unit's identity. Must not know how a unit is computed.

    tune     a client's generator, behind its door: the same for every fold that pools it; a row whose releases are only
             smaller than another row's cuts those, and tunes nothing anew
    fit      a synthesizer on a fold's training sessions
    train    a recognizer of one mode, fold and seed
    sum      a synthesizer of a sum over a fold's training sessions
    score    that recognizer on the session that was left out
    quality  samples of one mode (or of a control) beside real patches
    twin     a synthesizer of patches on half of a place's speech: the same for every form of its release
    audit    how well who was in the speech is told by what a mode releases of it
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, cast, get_args

from client.simulated import site_name
from common.audit.verdict import Limits
from common.augmentation.plans import VERSION as PLANS_VERSION
from common.augmentation.plans import PlanName, kinds_of
from common.config.tree import Config
from common.corpora.manifest import Manifest
from common.errors import UserError
from common.features.spaces import identity_in
from common.protocols import Trial
from common.protocols.drawing import up_to_the_largest
from common.recognizers import recognizer
from common.recognizers.averaging import BATCH, EPOCHS
from common.recognizers.methods.dnn import RECOGNIZER as DENSE
from common.release import ReleaseConfig
from common.settings import hash_identity
from common.spaces import Vectors
from common.synthesizers import synthesizer
from simulations.comparison.ablations import Ablation
from simulations.comparison.measures import VERSION as MEASURES_VERSION
from simulations.comparison.modes import ABLATED, MODES, REAL, Mode
from simulations.comparison.setting import Setting

FORMAT = 2
"""Raise it when a unit computes anything else than before."""
Kind = Literal["tune", "fit", "sum", "train", "score", "quality", "twin", "audit"]
KINDS: tuple[Kind, ...] = get_args(Kind)
AUDIT_VERSION = 2
"""Raise it when an audit computes anything else than before."""
LIMITS = Limits()
"""What an audit of a comparison finds is judged by: those that a site has unless its policy says otherwise."""
EVERYBODY = "all sessions"
COPYING, NOISE = "copying", "noise"
"""Controls of every measure of quality: a generator that copies its data, and one that makes noise."""


@dataclass(frozen=True)
class Unit:
    """One thing to compute; `subject` is a synthesizer (tune, fit), a mode or a control, `place` a fold or session."""

    kind: Kind
    subject: str
    place: str
    seed: int
    identity: Mapping[str, Any] = field(compare=False, repr=False)
    config: Config = field(compare=False, repr=False)
    """Of this unit's seed; an ablation's differs in one setting."""
    needs: tuple["Unit", ...] = field(default=(), compare=False, repr=False)
    steps: int = field(default=0, compare=False)
    """Training steps, to foretell its time."""
    ablation: str = ""
    """The setting that is turned the other way, and its value; nothing where all is as configured."""
    trial: str = ""
    """Of a tuning, the trial that its site's speech is cut for; nothing where the site holds all of its session."""

    @property
    def key(self) -> str:
        """Names its result."""
        return hash_identity(self.identity)

    @property
    def fold(self) -> str:
        """The fold or session, as files are named."""
        return site_name(self.place)

    @property
    def row(self) -> str:
        """The row of a table that it is computed for: its mode, and what is other than configured."""
        return row_of(self.subject, self.ablation)

    def __str__(self) -> str:
        return f"{self.kind} {self.row}, {self.place}, seed {self.seed}"


def row_of(subject: str, ablation: str = "") -> str:
    """How a table calls what is computed for a subject.

    >>> row_of("real"), row_of("federated", "sampling.latent_scale=1.0")
    ('real', 'federated, sampling.latent_scale=1.0')
    """
    return f"{subject}, {ablation}" if ablation else subject


def units_for(
    setting: Setting,
    modes: Sequence[Mode],
    folds: Sequence[Trial],
    seeds: Iterable[int],
    ablations: Sequence[Ablation] = (),
) -> tuple[Unit, ...]:
    """Every unit once, each after all that it needs."""
    known: dict[str, Unit] = {}
    for seed in seeds:
        plan = _SeedPlan(setting, setting.of_seed(seed))
        turned = [_SeedPlan(setting, one.of(plan.config), one.name) for one in ablations]
        for fold in folds:
            scored = (unit for one in turned for unit in one.of_mode(MODES[ABLATED], fold).all)
            for unit in (*plan.of_fold(fold, modes), *scored):
                known.setdefault(unit.key, unit)
        for unit in plan.audits(modes):
            known.setdefault(unit.key, unit)
    return tuple(known.values())


@dataclass(frozen=True)
class _ModeUnits:
    """Of one mode in one fold: its synthesizers, the training and the scoring."""

    sources: tuple[Unit, ...]
    trained: Unit
    scored: Unit

    @property
    def all(self) -> tuple[Unit, ...]:
        """In the order in which they can be computed."""
        wholes = (whole for source in self.sources for whole in source.needs)
        return (*wholes, *self.sources, self.trained, self.scored)


@dataclass(frozen=True)
class _SeedPlan:
    """The units of one seed."""

    setting: Setting
    config: Config
    ablation: str = ""

    def of_fold(self, fold: Trial, modes: Sequence[Mode]) -> Iterator[Unit]:
        """In the order in which they can be computed."""
        for mode in modes:
            yield from self.of_mode(mode, fold).all
        if not self.setting.is_measured(fold) or not self.config.compare.quality:
            return
        real = tuple(self.of_mode(mode, fold).trained for mode in modes if mode.name == REAL)
        for control in (COPYING, NOISE):
            yield self._quality(control, fold, real)
        for mode in modes:
            if mode.synthesizer is not None and not mode.real:
                plan = self._of_row(mode)
                yield plan._quality(mode.name, fold, (*real, *plan._sources(mode, fold)))
            if mode.augmentation is not None and not mode.balances:
                yield self._quality(mode.samples, fold, real)

    def of_mode(self, mode: Mode, fold: Trial) -> "_ModeUnits":
        """What the score of a mode in a fold takes."""
        plan = self._of_row(mode)
        sources = plan._sources(mode, fold)
        trained = plan._train(mode, fold, sources)
        scored = plan._unit("score", mode.name, fold.title, self._read(fold.test), (trained,))
        return _ModeUnits(sources, trained, scored)

    def audits(self, modes: Sequence[Mode]) -> Iterator[Unit]:
        """Of all speech, where a mode's release can be attacked: a site's own, or what comes of all sites together."""
        if not (self.config.compare.audited and self.setting.is_usual):
            return
        for mode in modes:
            if not mode.rounds and (mode.synthesizer is None or mode.real):
                continue
            plan = self._of_row(mode)
            places = self.setting.manifest.sessions if mode.where == "clients" else (EVERYBODY,)
            for place in places:
                twins = plan._twins(mode, place)
                yield from twins
                yield plan._unit("audit", mode.name, place, plan._audited(mode), twins)

    def _twins(self, mode: Mode, place: str) -> tuple[Unit, ...]:
        """Fitted once for all rows that differ in the form of a release alone; none of vectors, which cost little."""
        if mode.synthesizer is None or isinstance(self.setting.space, Vectors):
            return ()
        name, settings = mode.synthesizer, {"audit": AUDIT_VERSION, **self._fitted(mode.synthesizer)}
        steps = self._steps(name)
        numbers = range(LIMITS.twins)
        return tuple(self._unit("twin", name, place, settings | {"twin": n}, steps=steps) for n in numbers)

    def _audited(self, mode: Mode) -> dict[str, Any]:
        """What an audit reads beside speech and twins."""
        settings: dict[str, Any] = {"audit": AUDIT_VERSION, "where": mode.where}
        if mode.synthesizer is None:
            dense = DENSE.settings_of(self.config).model_dump(mode="json")
            return settings | {"dense": dense, "rounds": mode.rounds, "epochs": EPOCHS, "batch": BATCH}
        return settings | {"method": mode.synthesizer} | self._released(mode.synthesizer)

    def _fitted(self, name: str) -> dict[str, Any]:
        """What decides the weights of a fit, beside its speech."""
        one = synthesizer(name)
        own = one.settings_of(self.config)
        settings = {"synthesizer": own.model_dump(mode="json")} | self._before_the_fit()
        return settings | ({"base": self.setting.base_hash} if one.base(own, self.config.corpus.classes) else {})

    def _released(self, name: str) -> dict[str, Any]:
        """The same, and in which form they leave."""
        settings = self._fitted(name) | {"released_as": self.config.finetuning.released_as}
        if (form := self.config.release) != ReleaseConfig():
            settings["release"] = form.model_dump(mode="json")
        return settings

    def _steps(self, name: str) -> int:
        one = synthesizer(name)
        return one.cost(one.settings_of(self.config), self.setting.space, self.config.corpus.classes).steps

    def _of_row(self, mode: Mode) -> "_SeedPlan":
        """Under the settings of a row's own."""
        return replace(self, config=mode.of(self.config))

    def _sources(self, mode: Mode, fold: Trial) -> tuple[Unit, ...]:
        """The fitted synthesizers that a mode's samples of a fold are drawn from."""
        if mode.synthesizer is None:
            return ()
        one = synthesizer(mode.synthesizer)
        settings, steps = self._released(one.name), self._steps(one.name)
        if mode.where == "sum":
            place = self.setting.fitted_at[fold.title]
            return (self._unit("sum", one.name, place, settings | self._read(fold.fitted)),)
        if mode.where == "fold":
            place = self.setting.fitted_at[fold.title]
            return (self._unit("fit", one.name, place, settings | self._read(fold.fitted), steps=steps),)
        if mode.settings and "release" in settings:
            return tuple(self._cut(whole, settings) for whole in self._wholes(mode, fold))
        return tuple(
            self._tune(one.name, session, fold, settings, steps)
            for session in sorted(fold.fitted.sessions, key=site_name)
        )

    def _tune(self, name: str, session: str, fold: Trial, settings: Mapping[str, Any], steps: int) -> Unit:
        """At a site that holds all of its session, or what a trial leaves of it."""
        trial = self.setting.fitted_at[fold.title]
        if self.setting.is_usual or self.setting.part(session, trial) == self.setting.part(session):
            return self._unit("tune", name, session, settings, steps=steps)
        read = self._read(self.setting.part(session, trial))
        if self.config.corpus.skew != "none":
            read |= {"skewed": "once"}  # units of before were of speech that its site skewed again
        return replace(self._unit("tune", name, session, {**settings, **read}, steps=steps), trial=trial)

    def _wholes(self, mode: Mode, fold: Trial) -> tuple[Unit, ...]:
        """The releases of a row of clients as they are before they are made smaller."""
        whole = self.config.model_copy(update={"release": ReleaseConfig()})
        return replace(self, config=whole)._sources(mode, fold)

    def _cut(self, whole: Unit, settings: Mapping[str, Any]) -> Unit:
        """So rows that differ in the form of a release differ in nothing else, and each site tunes once."""
        read = {name: value for name, value in whole.identity["settings"].items() if name == "part"}
        cut = self._unit("tune", whole.subject, whole.place, {**settings, **read}, (whole,))
        return replace(cut, trial=whole.trial)

    def _read(self, part: Manifest) -> dict[str, str]:
        """What a unit reads of a trial, where the fold's name does not say it."""
        return {} if self.setting.is_usual else {"part": part.content_hash()}

    def _train(self, mode: Mode, fold: Trial, sources: tuple[Unit, ...]) -> Unit:
        method = DENSE if mode.rounds else recognizer(self.config.methods.recognizer)
        own = method.settings_of(self.config)
        settings: dict[str, Any] = {"method": method.name, "recognizer": own.model_dump(mode="json")}
        if mode.rounds:
            settings |= {"rounds": mode.rounds, "epochs": EPOCHS, "batch": BATCH}
        if mode.balances:
            _require_balancing(mode, fold)
            settings["balancing"] = self._balancing(mode)
        if drawn := mode.draws:
            settings["sampling"] = self.config.sampling.model_dump(mode="json")
        settings |= self._read(fold.train)
        if drawn and not sources and not self.setting.is_usual:
            settings["made of"] = fold.fitted.content_hash()
        if drawn and fold.filling is not None:
            settings |= {"filling": asdict(fold.filling), "draw": fold.repeat}
        steps = 0 if mode.rounds else method.cost(own, self.setting.space, self.config.corpus.classes).steps
        return self._unit("train", mode.name, fold.title, settings, sources, steps)

    def _before_the_fit(self) -> dict[str, Any]:
        """What is made of recordings before a synthesizer is fitted to them."""
        methods = self.config.methods
        if methods.augmentation == "none":
            return {}
        told: dict[str, Any] = {"augmentation": methods.augmentation, "made_of_one": methods.made_of_one}
        if methods.augmentation in get_args(PlanName):
            told |= {"version": PLANS_VERSION}
            if "BN" in kinds_of(cast(PlanName, methods.augmentation)):
                told |= {"noises": self.setting.background.digest}
        return told

    def _balancing(self, mode: Mode) -> dict[str, Any]:
        """What changes recordings or leaves some out, beside the mode's name."""
        told: dict[str, Any] = {"version": PLANS_VERSION}
        if mode.ratio is None and "BN" in kinds_of(cast(PlanName, mode.augmentation)):
            told["noises"] = self.setting.background.digest
        return told

    def _quality(self, subject: str, fold: Trial, needs: tuple[Unit, ...]) -> Unit:
        settings: dict[str, Any] = {"latent_scale": self.config.sampling.latent_scale}
        if isinstance(self.setting.space, Vectors):
            settings["measures"] = MEASURES_VERSION
        else:
            settings["base"] = self.setting.base_hash
        if not self.setting.is_usual:
            parts = {"train": fold.train, "heard": fold.fitted, "test": fold.test}
            settings["parts"] = {name: part.content_hash() for name, part in parts.items()}
        return self._unit("quality", subject, fold.title, settings, needs)

    def _unit(
        self,
        kind: Kind,
        subject: str,
        place: str,
        settings: Mapping[str, Any],
        needs: tuple[Unit, ...] = (),
        steps: int = 0,
    ) -> Unit:
        identity = self._ground() | {"kind": kind, "subject": subject, "place": place, "seed": self.config.seed}
        identity |= {"settings": dict(settings), "needs": [unit.key for unit in needs]}
        return Unit(kind, subject, place, self.config.seed, identity, self.config, needs, steps, self.ablation)

    def _ground(self) -> dict[str, Any]:
        """What every unit reads: the speech, its features, and how they are scaled. Its settings say the rest."""
        ground: dict[str, Any] = {"format": FORMAT, "corpus": self.setting.manifest_hash}
        if isinstance(space := self.setting.space, Vectors):
            identity = identity_in(space, self.config)
            return ground | {"space": space.model_dump(mode="json"), "features": identity}
        features = self.config.features.model_dump(mode="json")
        return ground | {"features": features, "scaling": self.setting.scaled}


def _require_balancing(mode: Mode, fold: Trial) -> None:
    """Refuse a protocol that says itself how much stands beside real speech."""
    if fold.filling is not None and dict(fold.filling.samples) != dict(up_to_the_largest(fold.train)):
        remedy = "compare it under leave-one-session-out or imbalance"
        raise UserError(
            f"{mode.name} makes emotions alike, and this protocol says how many samples there are",
            where=fold.title,
            remedy=remedy,
        )
