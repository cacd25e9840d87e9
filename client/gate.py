"""The gate between a site and the world: judges what is asked, checks what leaves, writes both down.

Owns admission, release and refusal, and the day's quotas. Must not know how a tuning is done or where the speech lies.

Whatever goes wrong behind the gate leaves it as one word of a fixed list. If the ledger cannot be written, nothing
leaves at all: that error alone is raised to the caller, who must then send nothing.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from client.budgets import bytes_left, left_for, refusals_left
from client.flood import Flood, TurnedAway
from client.history import Outcome, Record
from client.ledger import Judge, Ledger
from client.policy import MEBIBYTE, Policy
from client.rules import Holdings, check_reply, check_request, signal_of, work_of
from client.seen import Seen
from client.spending import Spending
from client.standing import Quota, quotas
from common.errors import UserError
from common.wire import (
    REQUESTS,
    AddToSum,
    Code,
    Collect,
    Limits,
    Message,
    Notice,
    Refusal,
    Refused,
    Reply,
    Request,
    Score,
    Stage,
    SumStep,
    Tune,
    Tuning,
    decode,
    decode_reply,
    encode,
    flatten,
    identity,
    subject,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outgoing:
    """What an audit may look at beside the reply itself."""

    request: Request
    holdings: Holdings
    policy: Policy


Audit = Callable[[Reply, Outgoing], None]
"""Looks at a reply that passed every other check; raises `Refused(Code.AUDIT)` to hold it back."""


def utc_now() -> datetime:
    """The clock of a gate, unless a test brings another."""
    return datetime.now(UTC)


class Gate:
    """One site's gate; every byte of a message that leaves the site is an answer of this object."""

    def __init__(
        self,
        policy: Policy,
        holdings: Holdings,
        ledger: Ledger,
        *,
        clock: Callable[[], datetime] = utc_now,
        audits: Sequence[Audit] = (),
    ) -> None:
        self.policy = policy
        self.holdings = holdings
        self._ledger = ledger
        self._clock = clock
        self._audits = tuple(audits)
        self._flood = Flood(policy.refusals_a_day)
        self._spending = Spending(ledger.path)

    def standing(self) -> Seen:
        """What the ledger holds, while anything can be answered; raises where nothing can."""
        return self._ledger.check(self._clock())

    def quotas(self) -> tuple[Quota, ...]:
        """What is given and left; raises where nothing can be answered."""
        return self._ledger.look(self._clock(), lambda past: quotas(past, self._spending.read(), self.policy))

    def has_opened(self, request: Request) -> bool:
        """Whether this very request to open a round was answered before, as the ledger knows."""
        return self._ledger.look(self._clock(), lambda history: identity(request) in history.opened)

    def answer(self, data: bytes | memoryview, handle: Callable[[Request], Reply]) -> bytes:
        """The bytes to send back for the bytes that came: what `handle` replies, or a refusal."""
        request, stage = None, Stage.RECEIVE
        try:
            request = decode(data, REQUESTS, Limits(self.policy.mebibytes_a_request * MEBIBYTE))
            stage = Stage.ADMIT
            self.admit(request)
            stage = _stage_of(request)
            reply = handle(request)
        except Exception as error:
            return self.refuse(error, stage, request)
        return self.let_out(reply, request)

    def admit(self, request: Request) -> None:
        """Raise `Refused` unless the policy grants the request now; what begins work is written down."""
        check_request(request, self.policy, self.holdings)
        if isinstance(request, Tune | Score | AddToSum):
            work = work_of(request, self.holdings)
            signal = signal_of(request)
            left = left_for(request, work, signal, self._spending.read, self.policy)
            self._note("admitted", request.kind, request, judge=left, work=work, words=request.words(), signal=signal)
            if signal:
                self._spending.add({work: signal})
        if isinstance(request, Notice):
            self._note("admitted", request.kind, request, words=request.words())

    def let_out(self, reply: Reply, request: Request) -> bytes:
        """The reply's bytes, once they pass what the receiver checks, the policy, the budget and the audits."""
        try:
            data = encode(reply)
            decode_reply(data, request)
            check_reply(reply, self.policy, self.holdings)
            for audit in self._audits:
                audit(reply, Outgoing(request, self.holdings, self.policy))
            budget = None if isinstance(reply, Refusal) else bytes_left(len(data), self.policy)
            self._note_sent(reply, request, data, budget)
        except Exception as error:
            return self.refuse(error, Stage.RELEASE, request, held_back=reply)
        return data

    def note_audit(self, tuning: Tuning, work: str, digest: str, words: Callable[[int], str]) -> None:
        """Write down what an audit said of a release, once; the words are told which attempt at this site it was."""
        known = self._ledger.look(self._clock(), lambda history: tuple(history.audited))
        if f"{work}/{digest}" not in known:
            facts = {"work": work, "sha256": digest, "words": words(len(known) + 1)}
            about = {"kind": "release", "run": tuning.run, "session": tuning.session}
            self._ledger.append(Record.model_validate({"time": self._clock(), "outcome": "audited", **about, **facts}))

    def refuse(
        self, error: Exception, stage: Stage, request: Request | None = None, *, held_back: Reply | None = None
    ) -> bytes:
        """A refusal's bytes: the error's word if it has one. What the error says stays in the site's own log.

        Raises `TurnedAway` where the day has seen too many.
        """
        attempt = request if held_back is None else held_back
        code = error.code if isinstance(error, Refused) else Code.FAILED
        self._note_refused(attempt.kind if isinstance(attempt, Message) else "", request, code)
        if isinstance(error, Refused):
            log.warning("refused at stage %s: %s", stage.value, error)
        else:
            log.error("failed at stage %s", stage.value, exc_info=error)
        run, session = (None, None) if request is None else subject(request)
        refusal = Refusal(run=run, session=session, code=code, stage=stage)
        data = encode(refusal)
        self._note_sent(refusal, request, data)
        return data

    def _note_sent(self, reply: Reply, request: Request | None, data: bytes, judge: Judge | None = None) -> None:
        tensors = flatten(reply.weights())
        made_of = request if reply.kind == "release" and isinstance(request, Tune | Collect) else None
        self._note(
            "sent",
            reply.kind,
            request,
            judge=judge,
            code=reply.code if isinstance(reply, Refusal) else None,
            work="" if made_of is None else work_of(made_of, self.holdings),
            words=reply.words(),
            tensors={name: f"{reply.precision_of(name).label}{list(value.shape)}" for name, value in tensors.items()},
            bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
        )

    def _note_refused(self, kind: str, request: Request | None, code: Code) -> None:
        try:
            self._note("refused", kind, request, judge=refusals_left(self.policy), code=code)
        except TurnedAway:
            if self._flood.add():
                self._tell_of_flood(over=False)
            raise

    def _tell_of_flood(self, *, over: bool) -> None:
        if count := self._flood.take(over=over):
            log.warning("%d requests were turned away: the refusals of the day are spent", count)
            try:
                self._ledger.append(Record(time=self._clock(), outcome="turned-away", times=count))
            except UserError:
                self._flood.put_back(count)
                raise

    def _note(
        self, outcome: Outcome, kind: str, request: Request | None, *, judge: Judge | None = None, **facts: object
    ) -> None:
        run, session = (None, None) if request is None else subject(request)
        asked = "" if request is None else identity(request)
        record = {"time": self._clock(), "outcome": outcome, "kind": kind, "run": run, "session": session}
        self._ledger.append(Record.model_validate(record | {"request": asked} | facts), judge)
        self._tell_of_flood(over=True)


def _stage_of(request: Request) -> Stage:
    if isinstance(request, SumStep):
        return Stage.SUM
    return Stage.SCORE if isinstance(request, Score) else Stage.TUNE
