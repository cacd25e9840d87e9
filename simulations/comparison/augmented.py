"""Training sets and samples that are made of the recordings themselves, where the recordings are.

Owns how a fold's speech is handed to such a method. Must not know a method's own rule (`common.augmentation`).
"""

from collections.abc import Callable
from typing import cast

from common.augmentation.balancing import made_of, with_changes, without_some
from common.augmentation.plans import PlanName
from common.features.vectors import VectorFeatures
from common.seeds import derive_seed
from common.synthesizers.pool import given_numbers, turns
from common.training.draws import Examples
from common.training.mixture import Rows
from common.training.phases import Interrupted
from simulations.comparison.job import Job
from simulations.comparison.modes import Mode

SOUNDS = "sounds"


def augmented(job: Job, method: str, numbers: tuple[int, ...]) -> Rows:
    """So many of each emotion, of the real speech that a synthesizer of this fold would be fitted to."""
    fold = job.setting.folds[job.unit.place]
    features = cast(VectorFeatures, job.setting.features.of(fold.fitted))
    return made_of(features, method, turns(numbers), derive_seed(job.unit.seed, method, job.unit.place, fold.repeat))


def balanced(job: Job, mode: Mode) -> Examples:
    """The real speech of a fold's training part, balanced as the mode does it."""
    setting, fold = job.setting, job.setting.folds[job.unit.place]
    features, seed = setting.features.of(fold.train), derive_seed(job.unit.seed, mode.name, job.unit.place)
    if mode.ratio is not None:
        return without_some(features, setting.scaling, mode.ratio, seed)
    name = cast(PlanName, mode.augmentation)
    return with_changes(features, setting.config, setting.scaling, name, setting.background, seed, _looking(job))


def evenly(job: Job, per_emotion: int) -> tuple[int, ...]:
    """As many of each emotion that there is speech of."""
    held = job.setting.folds[job.unit.place].fitted.held
    (numbers,) = given_numbers([held], per_emotion, job.config.corpus.classes)
    return numbers


def _looking(job: Job) -> Callable[[int, int], None]:
    """Tells how many sounds are made, and stops when somebody asks for it."""

    def look(done: int, total: int) -> None:
        job.reporter.begin(SOUNDS, done, total)
        if job.stop():
            raise Interrupted(SOUNDS, done)

    return look
