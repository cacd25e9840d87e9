"""One month of a site, from its own ledger: what left and to which run, what each audit said, what was refused.

Owns what is picked from the entries and how it is summed up. Must not know how it is shown.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from client.history import Entry
from client.ledger import entries, verify
from client.policy import load_policy
from client.recipes import preset_recipes
from client.site import Site
from client.spending import Spending
from client.standing import Quota, history_of, quotas
from common.audit.verdict import Verdict
from common.errors import UserError
from common.wire import Code
from simulations.inspection.entries import run_in

WEIGHTY = "release", "masked", "scored"
"""Kinds of message that carry something made from the speech."""
LET_GO = {
    "none": "your policy, without an audit",
    "release": "the audit",
    "approved": "you",
}
"""Who let a release go, by the word on its card."""


@dataclass(frozen=True)
class Left:
    """One message made from the speech that left.

    Args:
        time: when it was written down, a moment before it left.
        kind: of message.
        run: to which it went.
        bytes: of the message.
        sha256: of these bytes; of a release, that of the file in the server's bank.
        made: by which synthesizer and recipe.
        by: who let it go.
    """

    time: datetime
    kind: str
    run: str
    bytes: int
    sha256: str
    made: str
    by: str


@dataclass(frozen=True)
class Audited:
    """What one audit said."""

    time: datetime
    run: str
    attempt: int
    verdict: Verdict


@dataclass(frozen=True)
class Month:
    """What a steward files away."""

    session: str
    name: str
    entries: int
    left: tuple[Left, ...]
    kinds: dict[str, int]
    bytes: int
    audits: tuple[Audited, ...]
    answers: tuple[tuple[datetime, str, str], ...]
    refused: dict[str, int]
    turned_away: int
    repaired: tuple[tuple[datetime, str], ...]
    budgets: tuple[Quota, ...]
    problems: tuple[str, ...]
    head: str

    def plain(self) -> dict[str, Any]:
        """As plain data for a program."""
        told = asdict(self)
        told["audits"] = [asdict(one) | {"verdict": one.verdict.model_dump(mode="json")} for one in self.audits]
        plain: dict[str, Any] = json.loads(json.dumps(told, default=lambda moment: moment.isoformat()))
        return plain


def span_of(name: str) -> tuple[datetime, datetime]:
    """First moment of a month and of the one after it, in UTC.

    >>> [moment.isoformat() for moment in span_of("2026-12")]
    ['2026-12-01T00:00:00+00:00', '2027-01-01T00:00:00+00:00']
    """
    matched = re.fullmatch(r"(\d{4})-(\d{2})", name)
    try:
        begin = datetime(int(matched[1]), int(matched[2]), 1, tzinfo=UTC) if matched else None
        after = begin and (begin + timedelta(days=32)).replace(day=1)
    except (ValueError, OverflowError):
        begin = after = None
    if begin is None or after is None:
        raise UserError("not a month", where=repr(name), remedy="year and month, such as 2026-11")
    return begin, after


def month_of(site: Site, name: str, now: datetime) -> Month:
    """Of the site's ledger as it stands; budgets are those at the month's end, or now if it is not over."""
    begin, end = span_of(name)
    verification = verify(site.ledger)
    known = list(entries(site.ledger))
    own = [entry for entry in known if begin <= entry.time < end]
    sent = [entry for entry in own if entry.outcome == "sent"]
    policy = load_policy(site.policy)
    history = history_of((entry for entry in known if entry.time < end), min(now, end))
    # What the ledger did not admit was before it began; that a release was given again says nothing of its price.
    written = {entry.work for entry in known if entry.outcome == "admitted"}
    before = {work: signal for work, signal in Spending(site.ledger).read().items() if work not in written}
    return Month(
        session=site.session,
        name=name,
        entries=len(own),
        left=tuple(_left(entry) for entry in sent if entry.kind in WEIGHTY),
        kinds=dict(Counter(entry.kind for entry in sent)),
        bytes=sum(entry.bytes for entry in sent),
        audits=tuple(_audits(own)),
        answers=tuple((e.time, e.outcome, e.run or "") for e in own if e.outcome in ("approved", "kept-back")),
        refused=dict(Counter(e.code.value for e in own if e.outcome == "refused" and e.code).most_common()),
        turned_away=sum(entry.times for entry in own if entry.outcome == "turned-away"),
        repaired=tuple((e.time, e.outcome) for e in own if e.outcome in ("healed", "accepted")),
        budgets=tuple(quota for quota in quotas(history, before, policy) if quota.span == "in all"),
        problems=verification.problems,
        head=verification.head,
    )


def meaning_of(word: str) -> str:
    """Of a refusal's word."""
    return next(code.meaning for code in Code if code.value == word)


def _left(entry: Entry) -> Left:
    run, word = run_in(entry), _card(entry).get("audit", "")
    preset = "" if run is None else preset_recipes().get(run.recipe, "")
    recipe = "" if run is None else f"recipe of {preset}" if preset else f"recipe {run.recipe[:12]}…"
    return Left(
        time=entry.time,
        kind=entry.kind,
        run=entry.run or "",
        bytes=entry.bytes,
        sha256=entry.sha256,
        made="" if run is None else f"{run.synthesizer}, {recipe}",
        by=LET_GO.get(str(word), "") if entry.kind == "release" else "your policy",
    )


def _card(entry: Entry) -> dict[str, Any]:
    try:
        card = json.loads(entry.words).get("card", {})
    except (ValueError, AttributeError):
        return {}
    return card if isinstance(card, dict) else {}


def _audits(own: Sequence[Entry]) -> Iterator[Audited]:
    """Those whose words can be read; what an older or a newer eyesoff wrote may not be."""
    for entry in own:
        if entry.outcome != "audited":
            continue
        try:
            words = json.loads(entry.words)
            attempt = int(words.pop("attempt"))
            yield Audited(entry.time, entry.run or "", attempt, Verdict.model_validate(words))
        except (ValueError, LookupError, AttributeError, TypeError):
            continue
