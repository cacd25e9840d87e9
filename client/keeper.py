"""The keeper: a site's own guardian of its data, and the only code that touches it.

Owns which request leads to which work, and that every answer to a message passes the gate. Must not know how a request
arrived: a relay, a socket and a test all hand it bytes and take bytes back. It answers a handful of typed calls and
nothing else.
"""

import json
import logging
import threading
from collections.abc import Callable

import torch
from torch import Tensor

from client.activity import ASKED, AUDITING, TUNING, TUNINGS
from client.audits import AuditFolder, audit, digest_of
from client.bases import Base, Bases
from client.dice import read_dice, write_secret
from client.door import Door
from client.gate import Gate, utc_now
from client.ledger import Ledger
from client.metrics import exposition
from client.policy import MEBIBYTE, load_policy
from client.queue import TuningQueue
from client.rules import Holdings, word_on_card, work_of
from client.scoring import Counts, given_once, noised, score
from client.seen import Seen
from client.site import Site
from client.sums import Part
from client.tuning import Grant, Progress, TuningFolder, brought, tune
from common.errors import UserError
from common.networks.acceleration import Acceleration
from common.privacy.moments import Floats
from common.version import VERSION
from common.wire import (
    AddToSum,
    Ask,
    Card,
    CloseSum,
    Code,
    Collect,
    Description,
    Noted,
    Notice,
    OpenSum,
    Refused,
    Release,
    Reply,
    Request,
    Score,
    Scored,
    Stage,
    Summing,
    Tune,
    Tuning,
    Working,
)
from common.wire.terms import Audited

log = logging.getLogger(__name__)

GIBIBYTE = 2**30


class Keeper:
    """Answers requests, several at once; tunings go on in the background, whether or not anybody waits for them."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._policy = load_policy(site.policy)
        if not site.ledger.exists() and not site.secret.exists():  # its first start; later a missing one is named
            write_secret(site.secret)
        self._dice = read_dice(site.secret)
        ledger = Ledger(site.ledger)
        if ledger.heal(utc_now()):
            log.warning("the ledger had a torn last line and is healed: %s", site.ledger)
        self._bases = Bases(site.state)
        self._door = Door(site)
        self._gate = Gate(self._policy, self._door.holdings(), ledger)
        self._tunings = site.state / TUNINGS
        self._queue = TuningQueue(self._work)
        self._one_scoring = threading.Lock()
        self._sums = Part(
            site.state, self._brought, lambda summing: self._held(summing.tuning).known, self._gate.has_opened
        )
        self._trouble: str | None = None

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
        """What the keeper says of itself, past the gate: nothing that a server may not know."""
        folders = self._queue.folders
        doing, progress = self._progress(folders[0]) if folders else (TUNING, None)
        written = self._written()
        return {
            "eyesoff": VERSION,
            "session": self._site.session,
            "well": written is not None,
            "entries": written.number if written else None,
            "head": written.head if written else None,
            "tunings": len(folders),
            "doing": doing,
            "step": progress.step if progress else 0,
            "iterations": progress.iterations if progress else 0,
            "rate": progress.rate if progress else 0.0,
        }

    def metrics(self) -> str:
        """Counts for Prometheus, past the gate: of requests and their quotas, nothing of the speech."""
        try:
            return exposition(self.status(), self._gate.quotas())
        except UserError:  # which `status` has told the site's log
            return exposition(self.status(), ())

    def _progress(self, folder: TuningFolder) -> tuple[str, Progress | None]:
        """Of its tuning, then of its audit, and which of them it is."""
        if folder.is_finished:
            audit = AuditFolder(folder)
            return f"{AUDITING}, twins done: {audit.done()}", TuningFolder(audit.path).progress()
        progress = folder.progress()
        return progress.doing if progress else TUNING, progress

    def _written(self) -> Seen | None:
        """What the ledger holds; None where nothing can be answered, and the site's own log says why."""
        try:
            written = self._gate.standing()
        except UserError as error:
            if str(error) != self._trouble:  # once, however often anybody asks
                log.error("nothing can be answered: %s", error)
            self._trouble = str(error)
            return None
        self._trouble = None
        return written

    def resume(self) -> None:
        """Go on with whatever a kill interrupted, in the order in which it was asked; for the start of a service.

        What the policy no longer grants is given up: its generator could not leave.
        """
        if written := self._written():
            log.info("ledger: %d entries, head %s", written.number, written.head)
        self._bases.forget_all_but(self._policy.bases)
        for path in sorted(self._tunings.glob(f"*/{ASKED}"), key=lambda path: path.stat().st_mtime_ns):
            folder = TuningFolder(path.parent)
            if (tuning := folder.asked()) is None or self._is_done(folder):
                continue
            try:
                self._gate.admit(Collect(tuning=tuning))
            except Refused as refusal:
                log.warning("the tuning of run %s is not gone on with: %s", tuning.run, refusal)
                folder.give_up()
                continue
            log.info("going on with the tuning of run %s", tuning.run)
            self._queue.add(folder)

    def stop(self, seconds: float = 60.0) -> bool:
        """Finish the step in hand and keep a snapshot; whether that came about in time."""
        return self._queue.stop(seconds)

    def _work(self, folder: TuningFolder, stop: Callable[[], bool]) -> None:
        grant = Grant(self._bases, self._dice, self._policy.bounds, self._seconds)
        with Acceleration.of(self._site.runtime).entered():
            tune(folder, self._door, self._site.runtime, grant, stop)
            if self._policy.release != "always":
                self._audit(folder, grant, stop)

    def _audit(self, folder: TuningFolder, grant: Grant, stop: Callable[[], bool]) -> None:
        tuning, release, verdict = audit(folder, self._door, self._site.runtime, grant, self._policy.audit, stop)
        log.info("the audit of run %s says %s: %s", tuning.run, verdict.word, "; ".join(verdict.reasons))

        def words(attempt: int) -> str:
            return json.dumps({"attempt": attempt, **verdict.model_dump(mode="json")})

        self._gate.note_audit(tuning, folder.path.name, release, words)

    @property
    def _seconds(self) -> float:
        """Longest work on one request."""
        return 60.0 * self._policy.minutes_a_request

    def _reply(self, request: Request, patience: float) -> Reply:
        match request:
            case Ask():
                return self._describe(request)
            case Tune(tuning=tuning) | Collect(tuning=tuning):
                return self._tune(request, tuning, patience)
            case Score():
                with self._one_scoring:
                    return self._score(request)
            case OpenSum() | AddToSum() | CloseSum():
                if isinstance(request, OpenSum):
                    self._require_room()
                return self._sums.take(request)
            case Notice(run=run, session=session):
                log.warning("run %s: another client says to be %s too; ask the server's people who it is", run, session)
                return Noted(run=run, session=session)

    def _score(self, request: Score) -> Scored:
        epsilon = None if self._policy.scoring_epsilon == "exact" else self._policy.scoring_epsilon
        work = work_of(request, self._gate.holdings)

        def counted() -> Counts:
            counts = score(request, self._door, self._site.runtime, self._seconds)
            return counts if epsilon is None else noised(counts, epsilon, self._dice, work)

        given, counts = given_once(self._site.state, work, epsilon, counted)
        return Scored(scoring=request.scoring, epsilon=given, counts=counts)

    def _describe(self, request: Ask) -> Description:
        return Description(
            run=request.run,
            session=self._site.session,
            labels=self._site.emotions,
            features=self._gate.holdings.features,
            vectors=self._gate.holdings.vectors,
            utterances=self._told_counts(self._gate.holdings),
            speakers=len(self._door.manifest.speakers) if self._policy.tell_counts else None,
            eyesoff=VERSION,
            torch=torch.__version__,
        )

    def _held(self, tuning: Tuning) -> Holdings:
        return self._gate.holdings.of(tuning.space)

    def _brought(self, summing: Summing) -> Floats:
        grant = Grant(self._bases, self._dice, self._policy.bounds, self._seconds)
        with Acceleration.of(self._site.runtime).entered():
            return brought(summing, self._door, self._site.runtime, grant)

    def _told_counts(self, holdings: Holdings) -> tuple[int, ...] | None:
        return holdings.utterances if self._policy.tell_counts else None

    def _tune(self, request: Tune | Collect, tuning: Tuning, patience: float) -> Working | Release:
        # Named by the recipe, the networks and the speech, whichever run asks: the same release is given again.
        folder = TuningFolder(self._tunings / work_of(request, self._gate.holdings))
        queued = folder in self._queue.folders
        finished = None if queued else self._finished(folder)
        if finished is None:
            if not queued:
                self._begin(request, folder)
            self._queue.wait(folder, patience)
            finished = self._finished(folder)
        if finished is None:
            return self._working(folder, tuning)
        weights, seconds = finished
        word = self._let_go(folder, weights)
        held = self._held(tuning)
        counts = self._told_counts(held)
        if tuning.method.privacy(tuning.own):  # what is told beside the noise would be told without it
            counts, seconds = None, 0
        card = Card(tuning=tuning, known=held.known, utterances=counts, seconds=seconds, audit=word)
        return Release(card=card, released=weights)

    def _is_done(self, folder: TuningFolder) -> bool:
        always = self._policy.release == "always"
        return folder.is_finished and (always or self._finished(folder) is not None)

    def _finished(self, folder: TuningFolder) -> tuple[dict[str, Tensor], int] | None:
        """A release on which nothing is left to do before a steward or a server has a say, and its seconds."""
        finished = folder.finished()
        if finished is None or self._policy.release == "always":
            return finished
        return None if AuditFolder(folder).fixed(digest_of(finished[0])) is None else finished

    def _let_go(self, folder: TuningFolder, weights: dict[str, Tensor]) -> Audited:
        """What the card says of the audit, or a refusal: where a person decides, nothing else does."""
        if self._policy.release == "always":  # before anything is read of an audit: there is none
            return "none"
        release, own = digest_of(weights), AuditFolder(folder)
        verdict = own.fixed(release)
        word = word_on_card(self._policy.release, verdict.word if verdict else None, own.answer(release))
        if word is None:
            raise Refused(Code.HELD, where=folder.path.name)
        return word

    def _begin(self, request: Tune | Collect, folder: TuningFolder) -> None:
        """Queue the tuning; asking whether it is done does not try again what failed."""
        if isinstance(request, Tune):
            self._take_base(request)
            self._make_room(folder)
            if folder.asked() is None:  # the run that asked first is whose dice were thrown
                folder.keep(request.tuning)
        elif failure := self._queue.failed(folder):
            raise Refused(failure)
        elif folder.asked() is None:
            raise Refused(Code.NOT_BEGUN)
        self._queue.add(folder)

    def _take_base(self, request: Tune) -> None:
        """Keep the networks that ride along; whoever named them only must find them here."""
        if request.tuning.base is None:
            return
        if request.shipped:
            self._bases.keep(Base(request.base, request.tuning.scaling))
        elif not self._bases.has(request.tuning.base):
            raise Refused(Code.BASE_NEEDED)

    def _make_room(self, folder: TuningFolder) -> None:
        """What failed and was not asked for again gives way; a disk that is full all the same begins nothing."""
        for path in self._tunings.glob(f"*/{ASKED}"):
            other = TuningFolder(path.parent)
            if other != folder and self._queue.failed(other):
                other.give_up()
        self._require_room()

    def _require_room(self) -> None:
        used = sum(path.stat().st_size for path in self._site.state.rglob("*") if path.is_file())
        if used > self._policy.gibibytes_of_state * GIBIBYTE:
            raise Refused(Code.STATE_FULL, where=f"{used / GIBIBYTE:.1f} GiB of {self._policy.gibibytes_of_state:g}")

    def _working(self, folder: TuningFolder, tuning: Tuning) -> Working:
        """Not done yet: its step and pace, if it has begun."""
        if failure := self._queue.failed(folder):
            raise Refused(failure)
        if folder.is_finished:
            return self._auditing(folder, tuning)
        progress = folder.progress()
        expected = tuning.method.cost(tuning.own, tuning.space, len(tuning.labels)).steps
        return Working(
            run=tuning.run,
            session=tuning.session,
            stage=Stage.TUNE if progress else Stage.PREPARE,
            step=progress.step if progress else 0,
            iterations=progress.iterations if progress else expected,
            rate=progress.rate if progress else 0.0,
        )

    def _auditing(self, folder: TuningFolder, tuning: Tuning) -> Working:
        """How many twins are done, and no pace: how long they take is the site's own affair."""
        return Working(
            run=tuning.run,
            session=tuning.session,
            stage=Stage.AUDIT,
            step=AuditFolder(folder).done(),
            iterations=self._policy.audit.twins,
            rate=0.0,
        )
