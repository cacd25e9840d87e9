"""The keeper: a site's own guardian of its data, and the only code that touches it.

Owns which request leads to which work, and that every answer passes the gate. Must not know how a request arrived: a
relay, a socket and a test all hand it bytes and take bytes back. It answers a handful of typed calls and nothing else.
"""

import json
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from client.door import Door
from client.gate import Gate
from client.ledger import Ledger
from client.policy import load_policy
from client.scoring import score
from client.site import Site
from client.tuning import TuningFolder, tune
from common.errors import UserError
from common.files import atomic_json
from common.training.phases import Interrupted
from common.training.reporters import Reporter
from common.version import VERSION
from common.wire import (
    Ask,
    Card,
    Code,
    Collect,
    Description,
    Refused,
    Release,
    Reply,
    Request,
    Score,
    Scored,
    Stage,
    Tune,
    Tuning,
    Working,
    identity,
)

log = logging.getLogger("eyesoff.keeper")

PROGRESS = "progress.json"


@dataclass
class Job:
    """A tuning at work in a thread of its own."""

    tuning: Tuning
    thread: threading.Thread
    failed: bool = False


class Keeper:
    """Answers one request at a time; a tuning goes on in the background, whether or not anybody waits for it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._door = Door(site)
        self._policy = load_policy(site.policy)
        self._gate = Gate(self._policy, self._door.holdings(), Ledger(site.ledger))
        self._turn = threading.Lock()
        self._stopping = threading.Event()
        self._job: Job | None = None
        self._progress = Progress(site.state / PROGRESS)

    def answer(self, data: bytes, patience: float = 0.0) -> bytes:
        """The bytes that leave in answer to the bytes that came; waits up to `patience` seconds for a tuning."""
        with self._turn:
            return self._gate.answer(data, lambda request: self._reply(request, patience))

    def resume(self) -> None:
        """Go on with whatever a kill interrupted; called once, when a keeper starts to serve."""
        for path in sorted(self._tunings.glob("*")):
            folder = TuningFolder(path)
            tuning = folder.asked()
            if tuning is not None and folder.finished() is None:
                log.info("going on with the tuning of run %s", tuning.run)
                self._begin(folder, tuning)
                return

    def stop(self, patience: float = 60.0) -> None:
        """Finish the step in hand, keep a snapshot, and end the tuning's thread."""
        self._stopping.set()
        if self._job is not None:
            self._job.thread.join(patience)

    @property
    def _tunings(self) -> Path:
        return self._site.state / "tunings"

    def _reply(self, request: Request, patience: float) -> Reply:
        match request:
            case Ask():
                return self._describe(request)
            case Tune(tuning=tuning) | Collect(tuning=tuning):
                return self._tune(request, tuning, patience)
            case Score(scoring=scoring):
                return Scored(scoring=scoring, counts=score(request, self._door, self._site.runtime))

    def _describe(self, request: Ask) -> Description:
        return Description(
            run=request.run,
            session=self._site.session,
            labels=self._site.emotions,
            features=self._door.features_identity,
            utterances=self._told_counts(),
            speakers=len(self._door.manifest.speakers) if self._policy.tell_counts else None,
            eyesoff=VERSION,
            torch=torch.__version__,
        )

    def _tune(self, request: Tune | Collect, tuning: Tuning, patience: float) -> Working | Release:
        folder = TuningFolder(self._tunings / identity(Collect(tuning=tuning))[:16])
        finished = folder.finished()
        if finished is None:
            self._work(request, folder, tuning, patience)
            finished = folder.finished()
        if finished is None:
            return self._progress.working(tuning)
        weights, seconds = finished
        return Release(card=Card(tuning=tuning, utterances=self._told_counts(), seconds=seconds), generator=weights)

    def _told_counts(self) -> tuple[int, ...] | None:
        return self._door.utterances_per_emotion() if self._policy.tell_counts else None

    def _work(self, request: Tune | Collect, folder: TuningFolder, tuning: Tuning, patience: float) -> None:
        """Begin the tuning unless it runs, and wait for it as long as the asker is willing to."""
        job = self._job
        if job is not None and job.thread.is_alive() and job.tuning != tuning:
            raise Refused(Code.BUSY)
        if job is None or not job.thread.is_alive():
            if isinstance(request, Tune):
                self._check_speech()
                folder.keep(request)
            elif folder.asked() is None:
                raise Refused(Code.NOT_BEGUN)
            job = self._begin(folder, tuning)
        job.thread.join(min(patience, threading.TIMEOUT_MAX))
        if job.failed:
            raise Refused(Code.FAILED)

    def _check_speech(self) -> None:
        """An emotion without a single utterance cannot be learnt here, whatever the policy says."""
        if not all(self._door.utterances_per_emotion()):
            raise Refused(Code.TOO_FEW_UTTERANCES)

    def _begin(self, folder: TuningFolder, tuning: Tuning) -> Job:
        thread = threading.Thread(target=lambda: self._run(job, folder), name="tuning", daemon=True)
        job = self._job = Job(tuning, thread)
        thread.start()
        return job

    def _run(self, job: Job, folder: TuningFolder) -> None:
        """The tuning's thread; what goes wrong is written down at the site and told as one word."""
        try:
            tune(folder, self._door, self._site.runtime, self._progress, self._stopping.is_set)
        except Interrupted as interruption:
            log.info("%s", interruption)
        except UserError as error:
            log.error("tuning for run %s: %s", job.tuning.run, error)
            job.failed = True
        except Exception:
            log.exception("tuning for run %s", job.tuning.run)
            job.failed = True


class Progress(Reporter):
    """How far a tuning is, for whoever asks, and in a file for whoever may look into the site's state."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._first, self._step, self._iterations, self._began = 0, 0, 0, time.monotonic()

    def begin(self, stage: str, first: int, iterations: int) -> None:
        """Start counting."""
        self._first, self._step, self._iterations, self._began = first, first, iterations, time.monotonic()
        self._write(stage)

    def record(self, stage: str, step: int, metrics: Mapping[str, float]) -> None:
        """Move on; what the metrics say stays at the site, for a loss tells about the data."""
        self._step = step
        self._write(stage)

    @property
    def rate(self) -> float:
        """Steps a second since the tuning began or was resumed here."""
        return (self._step - self._first) / max(time.monotonic() - self._began, 1e-3)

    def working(self, tuning: Tuning) -> Working:
        """What is told of it: the step and the pace."""
        return Working(
            run=tuning.run,
            session=tuning.session,
            stage=Stage.TUNE,
            step=self._step,
            iterations=self._iterations,
            rate=round(min(self.rate, 1e6), 3),
        )

    def _write(self, stage: str) -> None:
        state = {"stage": stage, "step": self._step, "iterations": self._iterations, "rate": self.rate}
        atomic_json(self._path, state)


def read_progress(state: Path) -> dict[str, object] | None:
    """The progress file of a site's state folder, if it tunes or has tuned."""
    path = state / PROGRESS
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
