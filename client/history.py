"""What can happen at a site's gate, one record each, and what the records of a ledger add up to.

Owns the form of a record and the sums over records that a judge asks for, each told at once however many records there
are. Must not know where the records are kept, nor what they are judged by.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal, NamedTuple

from pydantic import AwareDatetime, Field

from common.settings import Section
from common.wire import Code

DAY = timedelta(days=1)
TUNE, ADD = "tune", "add-to-sum"
LEFT = "release", "masked"
"""Kinds of request that make something of the speech, and of reply by which it leaves."""
OPENED = "opened"
"""The reply that begins a round of a sum."""

Outcome = Literal[
    "admitted", "refused", "sent", "turned-away", "healed", "accepted", "audited", "approved", "kept-back"
]


class Record(Section):
    """What is known of one event before it takes its place in the ledger."""

    time: AwareDatetime
    outcome: Outcome
    kind: str = Field("", description="of the message: tune, release, ...; empty where it could not be read")
    run: str | None = None
    session: str | None = None
    code: Code | None = Field(None, description="why it was refused")
    request: str = Field("", description="the identity of the request that this is or answers")
    work: str = Field("", description="what it begins, or whose release left; empty: that is the request itself")
    words: str = Field(
        "",
        description="letter by letter, all that left or was admitted, beside the weights; or what was accepted, or "
        "what an audit said",
    )
    tensors: dict[str, str] = Field(default_factory=dict, description="formats and shapes of the weights that left")
    bytes: int = Field(0, description="that left, or of a healed ledger the torn bytes")
    signal: float = Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description="of a private release: sensitivity over noise, of which epsilon follows",
    )
    sha256: str = Field("", description="of those bytes; of the weights that were audited, approved or kept back")
    times: int = Field(1, ge=1, description="requests that it stands for")


class Entry(Record):
    """A record in its place."""

    number: int
    previous: str


class _Counted(NamedTuple):
    """What an entry adds to the sums of its day; entries of one moment are told apart by their number."""

    time: datetime
    number: int
    sent: int
    refused: int
    kind: str
    work: str | None


class History:
    """Sums over a ledger's entries; those of a day leave out what is a day old at the time that was last told.

    An entry that was a day old once stays out when the clock is set back. One from a clock that ran ahead counts until
    its own day is over; a heap lets the entries behind it expire before it, as a queue would not.
    """

    def __init__(self) -> None:
        self._day: list[_Counted] = []
        self._bytes = self._refused = 0
        self._begun: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._ever: defaultdict[str, set[str]] = defaultdict(set)
        self._released: dict[str, str] = {}
        self._audited: dict[str, None] = {}
        self._signals: dict[str, float] = {}
        self._opened: set[str] = set()

    def add(self, entry: Entry) -> None:
        """Count one more entry."""
        admitted, sent = entry.outcome == "admitted", entry.outcome == "sent"
        work = (entry.work or entry.request) if admitted else None
        refused = int(entry.outcome == "refused")
        counted = _Counted(entry.time, entry.number, entry.bytes if sent else 0, refused, entry.kind, work)
        heapq.heappush(self._day, counted)
        self._bytes += counted.sent
        self._refused += counted.refused
        if work is not None:
            self._begun[entry.kind][work] += 1
            self._ever[entry.kind].add(work)
        if sent and entry.kind in LEFT and entry.run is not None:
            self._released[entry.run] = entry.words
        if sent and entry.kind == OPENED:
            self._opened.add(entry.request)
        if work is not None and entry.signal:
            self._signals[work] = entry.signal
        if entry.outcome == "audited":
            self._audited[f"{entry.work}/{entry.sha256}"] = None
        self.move_to(entry.time)

    def move_to(self, now: datetime) -> None:
        """Let go of what is a day old."""
        while self._day and self._day[0].time <= now - DAY:
            old = heapq.heappop(self._day)
            self._bytes -= old.sent
            self._refused -= old.refused
            if old.work is not None:
                self._forget(old.kind, old.work)

    def _forget(self, kind: str, work: str) -> None:
        begun = self._begun[kind]
        begun[work] -= 1
        if not begun[work]:
            del begun[work]

    @property
    def bytes_today(self) -> int:
        """All that was sent in the last day, refusals included."""
        return self._bytes

    @property
    def refused_today(self) -> int:
        """Refusals of the last day."""
        return self._refused

    def begun_today(self, kind: str) -> Collection[str]:
        """The distinct pieces of work of a kind that were admitted in the last day."""
        return self._begun[kind].keys()

    def begun_in_all(self, kind: str) -> Collection[str]:
        """The same since the ledger began."""
        return self._ever[kind]

    def made_today(self) -> Collection[str]:
        """All that is told of the speech but scorings, of the last day: generators, and what was added to sums."""
        return [*self._begun[TUNE], *self._begun[ADD]]

    def made_in_all(self) -> Collection[str]:
        """The same since the ledger began."""
        return self._ever[TUNE] | self._ever[ADD]

    @property
    def released(self) -> Mapping[str, str]:
        """By run, the words of the last release that was sent to it, or of the last numbers for a sum."""
        return MappingProxyType(self._released)

    @property
    def opened(self) -> Collection[str]:
        """All requests to open the round of a sum that were answered."""
        return self._opened

    @property
    def audited(self) -> Collection[str]:
        """All pieces of work that were audited, each with the digest of its release, in order."""
        return self._audited.keys()

    @property
    def signals(self) -> Mapping[str, float]:
        """By piece of work, what was promised of differential privacy since the ledger began."""
        return MappingProxyType(self._signals)
