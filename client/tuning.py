"""One tuning at a site, from the networks that came to the generator that may leave, and through every interruption.

Owns the folder of a tuning: what was asked, snapshots, how far it is, the finished generator. Must not know who asked,
nor whether the result may leave.

A folder goes through four states: asked (its terms are stored), tuning (it has snapshots), tuned (it has a release),
audited (`client.audits` has fixed a verdict on that). Where a policy asks for no audit, tuned is the last.
"""

import json
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from client.activity import ASKED, DISTILLING, PROGRESS, TUNING, WRITE_SECONDS
from client.bases import Bases
from client.bounds import Bounds
from client.dice import Dice
from client.door import Door, scaling_of
from common.errors import UserError
from common.features.scaling import Scaling
from common.features.spaces import SpeechFeatures
from common.files import atomic_json, locked
from common.networks.acceleration import Acceleration
from common.networks.memory import require_memory
from common.privacy.moments import Floats
from common.seeds import derive_seed
from common.settings import RuntimeConfig
from common.synthesizers import Fitting
from common.training.checkpoint import CARD, Snapshots, read_tensors, save_tensors
from common.training.distillation import DISTILLATION
from common.training.draws import Examples
from common.training.phases import Interrupted, Surroundings
from common.training.reporters import Reporter
from common.wire import Code, Refused, Summing, Tuning, distilled_weights, released_weights
from common.wire.weights import is_finite

log = logging.getLogger(__name__)

SNAPSHOTS, DONE, LOCK = "snapshots", "release", ".lock"
KEPT = 10
"""Snapshots over a tuning: what a kill costs at the most is a tenth of the work."""
REPORT_EVERY = 10
"""Steps between looks at the clock."""


@dataclass(frozen=True)
class Progress:
    """How far a tuning is: its step, steps a second since it was begun or resumed, seconds spent in all, in which part.

    Steps are counted anew in each part.
    """

    step: int
    iterations: int
    rate: float
    seconds: float
    doing: str = TUNING


@dataclass(frozen=True)
class TuningFolder:
    """Where one tuning lives."""

    path: Path

    def keep(self, tuning: Tuning) -> None:
        """Store what was asked."""
        atomic_json(self.path / ASKED, tuning.model_dump(mode="json"))

    def asked(self) -> Tuning | None:
        """What was asked, where it can be read."""
        try:
            return Tuning.model_validate_json((self.path / ASKED).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def finish(self, weights: Mapping[str, Tensor], seconds: float) -> None:
        """Store the generator, then drop all that only the tuning needed."""
        save_tensors(self.path / DONE, weights, {"what": "a tuned generator", "seconds": round(seconds)})
        self.tidy()

    def tidy(self) -> None:
        """Leave the generator alone."""
        shutil.rmtree(self.path / SNAPSHOTS, ignore_errors=True)
        (self.path / PROGRESS).unlink(missing_ok=True)

    def give_up(self) -> None:
        """Forget a tuning that is not to be gone on with, but not the time that it took."""
        spent = self.progress()
        shutil.rmtree(self.path, ignore_errors=True)
        if spent is not None:
            atomic_json(self.path / PROGRESS, asdict(spent))

    @property
    def is_finished(self) -> bool:
        """Whether there is a generator."""
        return (self.path / DONE / CARD).exists()

    def finished(self) -> tuple[dict[str, Tensor], int] | None:
        """The generator's weights and the seconds that they took; a damaged one is dropped, to be tuned again."""
        if not self.is_finished:
            return None
        try:
            return self.stored()
        except UserError:
            log.warning("a finished generator is damaged, so it is dropped and tuned again: %s", self.path / DONE)
            shutil.rmtree(self.path / DONE)
            return None

    def stored(self) -> tuple[dict[str, Tensor], int]:
        """The same, as it lies there; raises where it cannot be read."""
        weights, card = read_tensors(self.path / DONE)
        return weights, int(card["seconds"])

    def progress(self) -> Progress | None:
        """How far it is, or was when it was cut."""
        try:
            return Progress(**json.loads((self.path / PROGRESS).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other process is at work here; the lock of one that is killed dies with it."""
        with locked(self.path / LOCK):
            yield


@dataclass(frozen=True)
class Grant:
    """What a site brings to a tuning of its own: networks, dice, bounds and time."""

    bases: Bases
    dice: Dice
    bounds: Bounds
    seconds: float


def tune(folder: TuningFolder, door: Door, runtime: RuntimeConfig, grant: Grant, stop: Callable[[], bool]) -> None:
    """Fine-tune from the folder's last snapshot to the end and store the generator there, unless it is there."""
    with folder.alone():
        if folder.is_finished:
            folder.tidy()
            return
        tuning = folder.asked()
        if tuning is None:
            raise UserError("no tuning was asked for", where=folder.path)
        try:
            _tune(folder, tuning, door, runtime, grant, stop)
        finally:
            torch.cuda.empty_cache()  # an idle keeper holds no memory of a GPU that others may share


def _tune(
    folder: TuningFolder,
    tuning: Tuning,
    door: Door,
    runtime: RuntimeConfig,
    grant: Grant,
    stop: Callable[[], bool],
) -> None:
    clock = Clock(folder)
    if clock.earlier > grant.seconds:  # else whoever asks again and again is given a step each time
        raise _too_long(clock)
    base = checked_base(tuning, grant)
    around = surroundings(folder, tuning, door, runtime, clock, lambda: stop() or clock.seconds > grant.seconds)
    seed = seed_of(tuning, grant.dice, door)

    try:
        features = door.features_in(tuning.space)
        examples = examples_of(tuning, door, features, scaling_of(tuning.space, tuning.scaling), seed, around.stop)
        released = fitted(tuning, base, examples, features.manifest.held, seed, around)
    except Interrupted:
        if clock.seconds <= grant.seconds:
            raise
        raise _too_long(clock) from None
    folder.finish(released, clock.seconds)


def _too_long(clock: "Clock") -> Refused:
    return Refused(Code.TOO_LONG, where=f"{clock.seconds / 60:.0f} minutes spent")


def examples_of(
    tuning: Tuning,
    door: Door,
    features: SpeechFeatures,
    scaling: Scaling | None,
    seed: int,
    stop: Callable[[], bool],
) -> Callable[[bool], Examples]:
    """What a fit reads of a site's speech, or of a part of it: as it is, or with more made of it first."""
    if tuning.augmentation == "none":
        return lambda balanced: features.examples(scaling, seed, balanced=balanced)

    def look(done: int, total: int) -> None:
        if stop():
            raise Interrupted(tuning.augmentation, done)

    made = door.enriched(features, scaling, tuning, seed, look)
    return lambda balanced: made


def surroundings(
    folder: TuningFolder,
    tuning: Tuning,
    door: Door,
    runtime: RuntimeConfig,
    reporter: Reporter,
    stop: Callable[[], bool],
) -> Surroundings:
    """Of a fit whose snapshots lie in this folder; what is damaged or of other speech is dropped before it begins."""
    method = tuning.method
    acceleration = Acceleration.of(runtime)
    cost = method.cost(tuning.own, tuning.space, len(tuning.labels))
    require_memory(f"a tuning by {method.name}", cost.bytes, acceleration.device)
    identity = {"tuning": tuning.model_dump(mode="json"), "speech": door.features_in(tuning.space).key}
    scaling = {} if tuning.scaling is None else tuning.scaling.model_dump()
    snapshots = Snapshots(folder.path / SNAPSHOTS, identity, tuning.labels, scaling)
    drop_useless(snapshots, (*method.stages, DISTILLATION))
    return Surroundings(
        acceleration,
        reporter=reporter,
        snapshots=snapshots,
        report_every=REPORT_EVERY,
        snapshot_every=max(cost.steps // KEPT, 1),
        stop=stop,
    )


def fitted(
    tuning: Tuning,
    base: Mapping[str, Tensor],
    examples: Callable[[bool], Examples],
    held: tuple[bool, ...],
    seed: int,
    around: Surroundings,
) -> dict[str, Tensor]:
    """What a fit to these examples may release, all of it numbers; `held` tells which emotions there are.

    In the form that was asked for: no larger one is kept anywhere.
    """
    fitting = Fitting(examples, base, tuning.labels, tuning.space, seed, around, held)
    released: dict[str, Tensor] = tuning.method.fit(fitting, tuning.own)
    for name, value in released.items():  # what is no number would be dropped where it is read, and fitted for ever
        if not is_finite(value):
            raise Refused(Code.NOT_FINITE, where=name)
    smaller = distilled_weights(tuning, released, base, held, seed, around)
    return released_weights(tuning, smaller, base, seed)


def brought(summing: Summing, door: Door, runtime: RuntimeConfig, grant: Grant) -> Floats:
    """What a site adds to a sum; where noise is asked for, with its part of it, drawn anew for each round."""
    tuning, sums = summing.tuning, summing.tuning.method.sums
    if sums is None:
        raise Refused(Code.FORM, where=tuning.synthesizer)
    deadline = time.monotonic() + grant.seconds
    seed = derive_seed(seed_of(tuning, grant.dice, door), "sum", summing.digest)
    features = door.features_in(tuning.space)
    around = Surroundings(Acceleration.of(runtime), stop=lambda: time.monotonic() > deadline)
    try:
        examples = examples_of(tuning, door, features, scaling_of(tuning.space, tuning.scaling), seed, around.stop)
        fitting = Fitting(examples, {}, tuning.labels, tuning.space, seed, around, features.manifest.held)
        numbers: Floats = sums.brought(fitting, tuning.own, summing.round.threshold)
    except Interrupted:
        raise Refused(Code.TOO_LONG, where=f"{grant.seconds / 60:.0f} minutes spent") from None
    if not np.isfinite(numbers).all():
        raise Refused(Code.NOT_FINITE)
    return numbers


def seed_of(tuning: Tuning, dice: Dice, door: Door) -> int:
    """Of all that a tuning draws, another for each version of the speech.

    Were it the same, two releases would differ by hardly more than what the recordings between them did.
    """
    return derive_seed(dice.tuning(tuning.run, tuning.session), door.speech)


def checked_base(tuning: Tuning, grant: Grant) -> Mapping[str, Tensor]:
    """The networks to start from, if any, looked at with noise before any speech is read."""
    if tuning.base is None:
        return {}
    base = grant.bases.find(tuning.base).weights
    numbers = tuning.method.probe(base, tuning.own, len(tuning.labels))
    if outside := grant.bounds.outside(numbers):
        raise Refused(Code.OUT_OF_BOUNDS, where=", ".join(outside))
    return base


def drop_useless(snapshots: Snapshots, stages: Sequence[str]) -> None:
    """From each stage's newest on, drop what is damaged or was made of other speech: it costs a part of the work.

    A fit that is resumed begins with the end of its first stage, however far it was, so each stage's newest is read.
    """
    for stage in stages:
        for path in reversed(snapshots.stored(stage)):
            if _is_sound(snapshots, path):
                break
            shutil.rmtree(path)


def _is_sound(snapshots: Snapshots, path: Path) -> bool:
    try:
        _, card = read_tensors(path)
        snapshots.check(card, path)
    except UserError as error:
        log.warning("a snapshot is dropped: %s", error)
        return False
    return True


class Clock(Reporter):
    """Keeps a tuning's progress in its folder, so that anybody may look and one that was cut counts all of its time.

    What the metrics say is kept nowhere: a loss tells about the data. `earlier` are the seconds before this clock.
    """

    def __init__(self, folder: TuningFolder) -> None:
        earlier = folder.progress()
        self._path = folder.path / PROGRESS
        self.earlier = earlier.seconds if earlier else 0.0
        self._first, self._iterations, self._doing = 0, 0, TUNING
        self._began = self._played = self._written = time.monotonic()

    @property
    def seconds(self) -> float:
        """Spent so far, before every interruption and since."""
        return self.earlier + time.monotonic() - self._began

    def begin(self, stage: str, first: int, iterations: int) -> None:
        """Start counting steps."""
        self._first, self._iterations, self._played = first, iterations, time.monotonic()
        self._doing = DISTILLING if stage == DISTILLATION else TUNING
        self._write(first)

    def record(self, stage: str, step: int, metrics: Mapping[str, float]) -> None:
        """Move on."""
        if step == self._iterations or time.monotonic() - self._written >= WRITE_SECONDS:
            self._write(step)

    def _write(self, step: int) -> None:
        self._written = time.monotonic()
        rate = (step - self._first) / max(self._written - self._played, 1e-3)
        with suppress(UserError):  # a disk that is full for a moment need not end a tuning
            told = Progress(step, self._iterations, round(min(rate, 1e6), 3), self.seconds, self._doing)
            atomic_json(self._path, asdict(told))
