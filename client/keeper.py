"""The keeper: a site's own guardian of its data, and the only code that touches it.

Owns which request leads to which work, and that every answer to a message passes the gate. Must not know how a request
arrived: a relay, a socket and a test all hand it bytes and take bytes back. It answers a handful of typed calls and
nothing else.
"""

import logging
import threading
from collections.abc import Callable

import torch

from client.door import Door
from client.gate import Gate, utc_now
from client.ledger import Ledger
from client.policy import MEBIBYTE, load_policy
from client.queue import TuningQueue
from client.scoring import score
from client.site import Site
from client.tuning import ASKED, TUNINGS, TuningFolder, tune
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

log = logging.getLogger(__name__)


class Keeper:
    """Answers requests, several at once; tunings go on in the background, whether or not anybody waits for them."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._policy = load_policy(site.policy)
        ledger = Ledger(site.ledger)
        if ledger.heal(utc_now()):
            log.warning("the ledger had a torn last line and is healed: %s", site.ledger)
        self._door = Door(site)
        self._gate = Gate(self._policy, self._door.holdings(), ledger)
        self._tunings = site.state / TUNINGS
        self._queue = TuningQueue(self._work)
        self._one_scoring = threading.Lock()

    def answer(self, data: bytes | memoryview, patience: float = 0.0) -> bytes:
        """The bytes that leave in answer to the bytes that came; waits up to `patience` seconds for a tuning."""
        return self._gate.answer(data, lambda request: self._reply(request, patience))

    @property
    def largest(self) -> int:
        """Bytes of the largest request that the policy lets in."""
        return self._policy.mebibytes_a_request * MEBIBYTE

    def turn_away(self, size: int) -> bytes:
        """The answer to a request that is too large to be read."""
        return self._gate.refuse(
            Refused(Code.TOO_LARGE, where=f"{size} bytes of at most {self.largest}"), Stage.RECEIVE
        )

    def status(self) -> dict[str, object]:
        """What the keeper says of itself, past gate and ledger: nothing that a server may not know."""
        folders = self._queue.folders
        progress = folders[0].progress() if folders else None
        return {
            "eyesoff": VERSION,
            "session": self._site.session,
            "tunings": len(folders),
            "step": progress.step if progress else 0,
            "iterations": progress.iterations if progress else 0,
            "rate": progress.rate if progress else 0.0,
        }

    def resume(self) -> None:
        """Go on with whatever a kill interrupted, in the order in which it was asked; for the start of a service.

        What the policy no longer grants stays as it is: its generator could not leave.
        """
        for path in sorted(self._tunings.glob(f"*/{ASKED}"), key=lambda path: path.stat().st_mtime_ns):
            folder = TuningFolder(path.parent)
            if (tuning := folder.asked()) is None:
                continue
            try:
                self._gate.admit(Collect(tuning=tuning))
            except Refused as refusal:
                log.warning("the tuning of run %s is not gone on with: %s", tuning.run, refusal)
                continue
            log.info("going on with the tuning of run %s", tuning.run)
            self._queue.add(folder)

    def stop(self, seconds: float = 60.0) -> bool:
        """Finish the step in hand and keep a snapshot; whether that came about in time."""
        return self._queue.stop(seconds)

    def _work(self, folder: TuningFolder, stop: Callable[[], bool]) -> None:
        tune(folder, self._door, self._site.runtime, stop)

    def _reply(self, request: Request, patience: float) -> Reply:
        match request:
            case Ask():
                return self._describe(request)
            case Tune(tuning=tuning) | Collect(tuning=tuning):
                return self._tune(request, tuning, patience)
            case Score(scoring=scoring):
                with self._one_scoring:
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

    def _told_counts(self) -> tuple[int, ...] | None:
        return self._door.utterances_per_emotion() if self._policy.tell_counts else None

    def _tune(self, request: Tune | Collect, tuning: Tuning, patience: float) -> Working | Release:
        # Named by all that was asked, the networks' hash included, so that asking again finds it.
        folder = TuningFolder(self._tunings / identity(Collect(tuning=tuning)))
        queued = folder in self._queue.folders
        finished = None if queued else folder.finished()
        if finished is None:
            if not queued:
                self._begin(request, folder)
            self._queue.wait(folder, patience)
            finished = folder.finished()
        if finished is None:
            return self._working(folder, tuning)
        weights, seconds = finished
        return Release(card=Card(tuning=tuning, utterances=self._told_counts(), seconds=seconds), generator=weights)

    def _begin(self, request: Tune | Collect, folder: TuningFolder) -> None:
        """Queue the tuning; asking whether it is done does not try again what failed."""
        if isinstance(request, Tune):
            self._check_speech()
            folder.keep(request)
        elif self._queue.failed(folder):
            raise Refused(Code.FAILED)
        elif folder.asked() is None:
            raise Refused(Code.NOT_BEGUN)
        self._queue.add(folder)

    def _check_speech(self) -> None:
        """An emotion without a single utterance cannot be learnt here, whatever the policy says."""
        if not all(self._door.utterances_per_emotion()):
            raise Refused(Code.TOO_FEW_UTTERANCES)

    def _working(self, folder: TuningFolder, tuning: Tuning) -> Working:
        """Not done yet: its step and pace, if it has begun."""
        if self._queue.failed(folder):
            raise Refused(Code.FAILED)
        progress = folder.progress()
        return Working(
            run=tuning.run,
            session=tuning.session,
            stage=Stage.TUNE if progress else Stage.PREPARE,
            step=progress.step if progress else 0,
            iterations=tuning.finetuning.iterations,
            rate=progress.rate if progress else 0.0,
        )
