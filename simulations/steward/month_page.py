"""A month of a site in words: lines for a terminal, and one page to be filed.

Owns the words, the tables and their order. Must not know how the month was read.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from client.standing import plainly
from common.audit.verdict import WORDS
from simulations.inspection.entries import KINDS
from simulations.report.cells import Cell, Table
from simulations.report.rendering import render
from simulations.report.wording import NOTHING, interval, many, megabytes, score
from simulations.steward.month import WEIGHTY, Audited, Month, meaning_of

TEMPLATE = Path(__file__).parent / "month.html"
SECTIONS = {
    "left": "What left",
    "audits": "What each audit said",
    "answers": "What you answered",
    "refused": "What was refused",
    "budgets": "What is left to give",
    "ledger": "The ledger",
}
NAMES = "release", "masked sum", "scoring"
"""Of the kinds of message that carry something made from the speech."""
SAID = {"approved": "approved", "kept-back": "kept back"}
REPAIRED = {
    "healed": "a torn line was accounted for, as after a crash or a full disk",
    "accepted": "somebody accepted a ledger that had lost entries",
}


def lines(month: Month) -> Iterator[str]:
    """For a terminal."""
    yield f"site {month.session}, {month.name} (UTC): {headline(month)}"
    for one in month.left:
        yield f"  {_moment(one.time)}  {one.kind} to run {one.run}, {megabytes(one.bytes)}, let go by {one.by}"
        yield f"    {one.made + ', ' if one.made else ''}sha256 {one.sha256}"
    for name, count in month.kinds.items():
        if name not in WEIGHTY:
            yield f"  {count} {name}: {KINDS.get(name, 'of a kind that this eyesoff does not know')}"
    for audit in month.audits:
        said = f"says {audit.verdict.word}{_auc(audit)}"
        yield f"  {_moment(audit.time)}  audit {audit.attempt} of run {audit.run} {said}"
        yield from (f"    {reason}" for reason in audit.verdict.reasons)
    for moment, word, run in month.answers:
        yield f"  {_moment(moment)}  {SAID[word]} by you: a release to run {run}"
    for word, count in month.refused.items():
        yield f"  refused {count}: {word} ({meaning_of(word)})"
    if month.turned_away:
        yield f"  {many(month.turned_away, 'request')} turned away without a line each: the day's refusals were spent"
    yield from (f"  {_moment(moment)}  {REPAIRED[outcome]}" for moment, outcome in month.repaired)
    yield from (f"  {budget.line()}" for budget in month.budgets)
    yield f"ledger: {chain(month)}; head {month.head}"


def headline(month: Month) -> str:
    """What left, in one sentence."""
    counts = [(month.kinds.get(kind, 0), name) for kind, name in zip(WEIGHTY, NAMES, strict=True)]
    *others, last = [many(count, name) for count, name in counts if count] or ["nothing"]
    told = f"{', '.join(others)} and {last}" if others else last
    return f"{told} made from your speech left."


def chain(month: Month) -> str:
    """Whether the ledger is whole."""
    found = "; ".join(month.problems) or "the chain of hashes is whole"
    own = f"{month.entries:,} of its entries {'is' if month.entries == 1 else 'are'} of this month"
    return f"{own}, and {found}"


def build(month: Month) -> str:
    """The page."""
    content = {
        "sections": SECTIONS,
        "month": month,
        "headline": headline(month),
        "chain": chain(month),
        "size": megabytes(month.bytes),
        "others": [(f"{count} {kind}", KINDS.get(kind, "")) for kind, count in month.kinds.items()],
        "left": _left(month),
        "audits": _audits(month),
        "answers": [f"{_moment(time)}: {SAID[word]}, a release to run {run}" for time, word, run in month.answers],
        "refused": _refused(month),
        "turned_away": many(month.turned_away, "request") if month.turned_away else "",
        "repaired": [f"{_moment(time)}: {REPAIRED[outcome]}" for time, outcome in month.repaired],
        "budgets": _budgets(month),
    }
    return render(TEMPLATE, content)


def _left(month: Month) -> Table:
    heads = (
        Cell("when"),
        Cell("what", wide=True),
        Cell("to run"),
        Cell("size"),
        Cell("let go by", wide=True),
        Cell("SHA-256", wide=True),
    )
    rows = tuple(
        (
            Cell(_moment(one.time)),
            Cell(one.kind, one.made, wide=True),
            Cell(one.run),
            Cell(megabytes(one.bytes)),
            Cell(one.by, wide=True),
            Cell(one.sha256, wide=True),
        )
        for one in month.left
    )
    caption = (
        "All went through the relay to the server that your deployment names. The SHA-256 of a release is that of the "
        "file in the server's bank: ask to see that very file, or to have it removed."
    )
    return Table(caption, heads, rows)


def _audits(month: Month) -> Table:
    heads = (
        Cell("when"),
        Cell("run"),
        Cell("audit"),
        Cell("said", wide=True),
        Cell("told apart"),
        Cell("why", wide=True),
    )
    rows = tuple(
        (
            Cell(_moment(one.time)),
            Cell(one.run),
            Cell(str(one.attempt)),
            Cell(one.verdict.word, WORDS[one.verdict.word], wide=True),
            Cell(*_scores(one)),
            Cell("; ".join(one.verdict.reasons), wide=True),
        )
        for one in month.audits
    )
    caption = (
        "Audits are numbered over the whole life of the site. Told apart: the share of pairs in which the attack finds "
        "the recording that was used, with its interval; guessing finds it in half of them."
    )
    return Table(caption, heads, rows)


def _refused(month: Month) -> Table:
    rows = tuple(
        (Cell(word), Cell(str(count)), Cell(meaning_of(word), wide=True)) for word, count in month.refused.items()
    )
    caption = "The server is told the word and no more; the site's own log says why."
    return Table(caption, (Cell("word"), Cell("times"), Cell("meaning", wide=True)), rows)


def _budgets(month: Month) -> Table:
    rows = tuple(
        (
            Cell(one.what, wide=True),
            Cell(plainly(one.used)),
            Cell(plainly(one.limit)),
            Cell(plainly(one.left)),
            Cell(one.rule),
        )
        for one in month.budgets
    )
    caption = "Of the site's whole life: what is spent does not come back. As of the month's end, by today's policy."
    return Table(
        caption, (Cell("budget", wide=True), Cell("given"), Cell("of"), Cell("left"), Cell("rule of the policy")), rows
    )


def _scores(audit: Audited) -> tuple[str, str]:
    found = audit.verdict
    if found.auc is None or found.low is None or found.high is None:
        return NOTHING, ""
    return score(found.auc), interval(found.low, found.high)


def _auc(audit: Audited) -> str:
    value, within = _scores(audit)
    return f", told apart {value} ({within})" if within else ""


def _moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M}"
