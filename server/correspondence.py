"""Requests to clients and what comes of them: replies that passed every check, or failures with a name and a reason.

Owns the checks on arrival, who is asked again and how often, and that nobody is waited for without end. Must not know
why a client is asked, nor how messages travel (`server.clients`). At most two answers are in memory at a time.
"""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from common.wire import Code, Refusal, Reply, Request, WireError, Working, decode_reply, encode
from server.clients import Answer, Clients, Payload

PASSING = frozenset({Code.FAILED, Code.NOT_BEGUN, Code.TRUNCATED, Code.MALFORMED, Code.WRONG_DIGEST})
"""Refusals that another try may turn into an answer: trouble at the site, or damage on the way to it."""
LONGEST_REASON = 300


@dataclass(frozen=True)
class Failure:
    """What a client did not do, and why; names and words only, for it came from a stranger."""

    client: str
    session: str
    stage: str
    reason: str

    def __str__(self) -> str:
        return f"client {self.client}{f' ({self.session})' * bool(self.session)} at {self.stage}: {self.reason}"


def in_few_words(failures: Iterable[Failure]) -> list[str]:
    """A line for each reason, however many clients met it and however often."""
    met: dict[tuple[str, str], dict[str, Failure]] = {}
    for one in failures:
        met.setdefault((one.stage, one.reason), {}).setdefault(one.session or f"client {one.client}", one)
    return [
        f"{', '.join(names)} at {stage}: {reason}" if len(names) > 1 else str(*names.values())
        for (stage, reason), names in met.items()
    ]


@dataclass(frozen=True)
class Question:
    """A request to one client, whose weights are loaded when it is sent and let go again."""

    client: str
    session: str
    request: Request
    weights: Callable[[], Mapping[str, Any]] = dict

    def payload(self) -> bytes:
        """All of it, as bytes."""
        return encode(self.request.model_copy(update=self.weights()))


Follow = Callable[[Question, Reply], Question | None]
"""What to ask a client at once upon its reply, if anything: a reply that is followed is not the one waited for."""


@dataclass(frozen=True)
class _Trouble:
    """Why there is no reply, and whether another try may help."""

    reason: str
    passes: bool


class Correspondence:
    """One campaign's, with all of its failures.

    Args:
        attempts: how often a question is asked at the most.
        reject: keeps what did not pass the checks, given its bytes, who sent it and what is wrong.
        tell: is called with every failure.
    """

    def __init__(
        self,
        clients: Clients,
        attempts: int,
        reject: Callable[[bytes, str, WireError], object],
        tell: Callable[[Failure], object],
    ) -> None:
        self._clients, self._attempts, self._reject, self._tell = clients, attempts, reject, tell
        self.failures: list[Failure] = []

    def fail(self, stage: str, reason: str, *, client: str, session: str = "") -> None:
        """Write down that a client failed."""
        failure = Failure(client, session, stage, reason)
        self.failures.append(failure)
        self._tell(failure)

    def replies(
        self, stage: str, questions: Iterable[Question], seconds: float, follow: Follow = lambda *_: None
    ) -> Iterator[tuple[Question, Reply]]:
        """Every good reply as it arrives; whoever failed is asked again when all others have answered.

        Each round takes `seconds` at the most. A client with several questions is asked one after another.
        """
        owed = list(questions)
        for _ in range(self._attempts):
            owed = yield from self._round(stage, owed, seconds, follow)

    def _round(
        self, stage: str, questions: Iterable[Question], seconds: float, follow: Follow
    ) -> Generator[tuple[Question, Reply], None, list[Question]]:
        """Ask everybody once; the answer is what may be asked again."""
        deadline = time.monotonic() + seconds
        lines: dict[str, deque[Question]] = defaultdict(deque)
        for question in questions:
            lines[question.client].append(question)
        asked = {client: line[0] for client, line in lines.items()}
        payloads: dict[str, Payload] = {client: question.payload for client, question in asked.items()}
        again = []
        for answer in self._clients.exchange(payloads, seconds) if payloads else ():
            question, line = asked[answer.client], lines[answer.client]
            reply = self._read(answer, question)
            further = None if isinstance(reply, _Trouble) else follow(question, reply)
            if further is None or time.monotonic() > deadline:
                first, outcome = line.popleft(), _final(reply, seconds)
                if isinstance(outcome, _Trouble):
                    self.fail(stage, outcome.reason, client=first.client, session=first.session)
                    again += [first] * outcome.passes
                else:
                    yield question, outcome
                further = line[0] if line else None
            if further is not None:
                asked[answer.client], payloads[answer.client] = further, further.payload
        left = [question for line in lines.values() for question in line]
        for question in left:
            reason = f"its turn did not come within {seconds:g} seconds"
            self.fail(stage, reason, client=question.client, session=question.session)
        return again + left

    def _read(self, answer: Answer, question: Question) -> Reply | _Trouble:
        """A checked reply; what does not pass is kept apart."""
        if answer.failure:
            return _Trouble(_printable(answer.failure), passes=True)
        try:
            return decode_reply(answer.data, question.request)
        except WireError as error:
            self._reject(answer.data, question.session or f"client{answer.client}", error)
            return _Trouble(f"its answer was turned away: {error}", passes=error.code is not Code.PROTOCOL)


def _final(reply: Reply | _Trouble, seconds: float) -> Reply | _Trouble:
    """A reply that nothing follows: trouble, unless it is what was asked for."""
    match reply:
        case Refusal(code=code, stage=stage):
            return _Trouble(f"refused at {stage.value}: {code.value} ({code.meaning})", passes=code in PASSING)
        case Working(step=step, iterations=iterations):
            return _Trouble(f"at step {step} of {iterations} after {seconds:g} seconds", passes=True)
    return reply


def _printable(text: str) -> str:
    """One line of a stranger's words, fit for a terminal."""
    line = " ".join(text.split())[:LONGEST_REASON]
    return "".join(sign if sign.isprintable() else "?" for sign in line)
