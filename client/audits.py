"""The audit of a finished release at its own site: twins one after another, then a verdict that stays.

Owns the folder `audit` of a tuning: scores of twins, time spent, the verdict, a steward's answer. Must not know how an
audit measures, nor who asks for the release.

Twins are thrown away as soon as they are scored. What was killed goes on with the twin that it was at, from its last
snapshot, to the same verdict.
"""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError
from torch import Tensor

from client.activity import AUDIT, VERDICT
from client.door import Door
from client.tuning import Clock, Grant, TuningFolder, checked_base, examples_of, fitted, seed_of, surroundings
from common.audit.kept import kept
from common.audit.twins import Audit, Told
from common.audit.verdict import Limits, Verdict, unable
from common.errors import UserError
from common.files import atomic_json
from common.seeds import derive_seed
from common.settings import RuntimeConfig, Section
from common.synthesizers import Sampler
from common.training.phases import Interrupted
from common.wire import Refused, Tuning, restored_weights, weights_digest
from common.wire.terms import Digest

log = logging.getLogger(__name__)

ANSWER, SCORES, SWAPPED = "answer.json", "told", "swapped.json"
MINUTE = 60.0
SHORT = 12
"""Letters of a digest in a sentence."""


class Fixed(Section):
    """A verdict on one release."""

    release: Digest = Field(description="of the weights that were audited")
    verdict: Verdict


class Answer(Section):
    """A steward's, to one release."""

    release: Digest = Field(description="of the weights that the answer is about")
    word: Literal["approved", "kept-back"]


def digest_of(weights: dict[str, Tensor]) -> str:
    """Names what would leave."""
    return weights_digest({"released": weights})


S = TypeVar("S", bound=Section)


class AuditFolder:
    """Of one tuning."""

    def __init__(self, tuning: TuningFolder) -> None:
        self.path = tuning.path / AUDIT

    def fixed(self, release: str) -> Verdict | None:
        """The verdict on this release; one on other weights is none."""
        stored = (_read(self.path / name, Fixed) for name in (VERDICT, SWAPPED))
        return next((one.verdict for one in stored if one is not None and one.release == release), None)

    def audited(self) -> str | None:
        """The release that the first verdict is about, if there is one."""
        return self._about(VERDICT)

    def is_swapped(self, release: str) -> bool:
        """Whether this release came into the place of the one that was audited."""
        return self.audited() not in (None, release) or self._about(SWAPPED) == release

    def _about(self, name: str) -> str | None:
        stored = _read(self.path / name, Fixed)
        return None if stored is None else stored.release

    def fix(self, release: str, verdict: Verdict) -> None:
        """Store it for good, and let go of all else; what is said of swapped weights never replaces the first one."""
        name = SWAPPED if self.is_swapped(release) else VERDICT
        atomic_json(self.path / name, Fixed(release=release, verdict=verdict).model_dump(mode="json"))
        for path in self.path.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)

    def answer(self, release: str) -> str | None:
        """What the steward said of this release; of another one it was never said."""
        stored = _read(self.path / ANSWER, Answer)
        return stored.word if stored is not None and stored.release == release else None

    def keep_answer(self, answer: Answer) -> None:
        """Instead of an earlier one."""
        atomic_json(self.path / ANSWER, answer.model_dump(mode="json"))

    def twin(self, number: int) -> TuningFolder:
        """Where a twin's snapshots lie."""
        return TuningFolder(self.path / f"twin-{number}")

    def done(self) -> int:
        """How many twins have been scored."""
        return len(list(self.path.glob(f"{SCORES}-*")))

    def scored(self, number: int, make: Callable[[], Told]) -> Told:
        """A twin's scores, made unless they are there."""
        told = kept(self.path / f"{SCORES}-{number}", make)
        shutil.rmtree(self.twin(number).path, ignore_errors=True)
        return told


def _read(path: Path, kind: type[S]) -> S | None:
    try:
        return kind.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, ValidationError):
        log.warning("damaged, so it counts for nothing: %s", path)
        return None


def audit(
    folder: TuningFolder, door: Door, runtime: RuntimeConfig, grant: Grant, limits: Limits, stop: Callable[[], bool]
) -> tuple[Tuning, str, Verdict]:
    """Bring the audit of a finished tuning to its verdict, unless it has one."""
    with folder.alone():
        tuning, finished, own = folder.asked(), folder.finished(), AuditFolder(folder)
        if tuning is None or finished is None:
            raise UserError("nothing is finished that could be audited", where=folder.path)
        release = digest_of(finished[0])
        verdict = own.fixed(release)
        if verdict is None:
            if before := own.audited():
                verdict = _swapped(before, release)
            else:
                verdict = _verdict(own, tuning, door, runtime, grant, limits, stop)
            own.fix(release, verdict)
        return tuning, release, verdict


def _swapped(before: str, now: str) -> Verdict:
    """Twins are of the recipe: of weights that were put in the place of its own they tell nothing."""
    names = f"{before[:SHORT]} then, {now[:SHORT]} now"
    why = "they were changed, or made anew on another machine"
    return unable(f"these are not the weights that were audited before ({names}): {why}; refuse them, and find out")


def _verdict(
    folder: AuditFolder,
    tuning: Tuning,
    door: Door,
    runtime: RuntimeConfig,
    grant: Grant,
    limits: Limits,
    stop: Callable[[], bool],
) -> Verdict:
    folder.path.mkdir(parents=True, exist_ok=True)
    clock = Clock(TuningFolder(folder.path))
    speech = door.speech_in(tuning.space, tuning.scaling)
    seed = derive_seed(seed_of(tuning, grant.dice, door), "audit")
    twins = Audit(speech.utterances, speech.place, limits, seed, speech.targets)
    base = checked_base(tuning, grant)

    def over() -> bool:
        return clock.seconds > MINUTE * limits.minutes

    def fit(number: int, chosen: NDArray[np.int64]) -> Sampler:
        around = surroundings(folder.twin(number), tuning, door, runtime, clock, lambda: stop() or over())
        own = derive_seed(seed, "twin", number)
        part = speech.part(chosen)

        examples = examples_of(tuning, door, part, speech.scaling, own, around.stop)
        weights = fitted(tuning, base, examples, part.manifest.held, own, around)
        device, weights = around.acceleration.device, restored_weights(tuning, weights, base)
        sampler: Sampler = tuning.method.sampler(weights, tuning.own, tuning.space, len(tuning.labels), device)
        return sampler

    if foregone := twins.foregone():
        return foregone
    told = []
    for number in range(limits.twins):
        if stop():
            raise Interrupted(AUDIT, number)
        try:
            told.append(folder.scored(number, lambda: twins.scores_of(number, fit)))  # noqa: B023 - called at once
        except Interrupted:
            if not over():
                raise
            return unable(f"it took longer than the {limits.minutes:g} min of your policy (audit.minutes)")
        except Refused as refusal:  # by what is the same tomorrow; other trouble may pass
            return unable(f"a twin could not be fitted: {refusal.code.value}")
        clock.begin(AUDIT, number + 1, limits.twins)
    return twins.verdict(told)
