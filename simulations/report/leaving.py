"""What left each client, told to the people who answer for its speech.

Owns the words. Must not know how a ledger is kept.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from client.history import Entry
from simulations.inspection.entries import KINDS
from simulations.report.cells import Cell, Table
from simulations.report.evidence import ClientLedger
from simulations.report.wording import many, megabytes

SENT, REFUSED = "sent", "refused"


def leaving_table(ledgers: Sequence[ClientLedger]) -> Table:
    """A row a client, and a row of the comparison where there are several."""
    several = len({ledger.rows for ledger in ledgers}) > 1
    headings = (
        Cell("client"),
        *((Cell("for the rows", wide=True),) if several else ()),
        Cell("left in all"),
        Cell("messages that left", wide=True),
        Cell("of these, weights"),
        Cell("refused"),
        Cell("SHA-256 of the release"),
        Cell("chain of the ledger", wide=True),
    )
    caption = "Every message that left a client, by its own ledger; requests that came in are not counted."
    if several:
        caption += " Rows of one tuning share a line: a smaller release is cut here, from what left; a site cuts first."
    return Table(caption, headings, tuple(_row(one, several=several) for one in ledgers))


def _row(ledger: ClientLedger, *, several: bool) -> tuple[Cell, ...]:
    sent = _sent(ledger)
    kinds = Counter(entry.kind for entry in sent)
    weights = sum(_numbers(entry) for entry in sent)
    hashes = [entry.sha256[:12] for entry in sent if entry.kind == "release"]
    whole = f"whole, {many(len(ledger.entries), 'line')}"
    return (
        Cell(ledger.session),
        *((Cell(ledger.rows, wide=True),) if several else ()),
        Cell(megabytes(sum(entry.bytes for entry in sent))),
        Cell(", ".join(f"{count} {kind}" for kind, count in kinds.items()), wide=True),
        Cell(many(weights, "number")),
        Cell(str(sum(entry.outcome == REFUSED for entry in ledger.entries))),
        Cell(", ".join(hashes)),
        Cell("; ".join(ledger.problems) or whole, wide=True),
    )


def kinds_that_left(ledgers: Sequence[ClientLedger]) -> Iterator[tuple[str, str]]:
    """Each kind of message that left any client, with what it holds."""
    first: Mapping[str, Entry] = {entry.kind: entry for ledger in reversed(ledgers) for entry in _sent(ledger)}
    for kind, entry in first.items():
        yield kind, KINDS.get(kind, "a message of a kind that this report does not know") + _card(entry)


def _card(entry: Entry) -> str:
    """What a release says beside its weights; its settings came from the server."""
    if entry.kind != "release":
        return ""
    card = json.loads(entry.words).get("card", {})
    counts = card.get("utterances")
    told = "not how many utterances" if counts is None else f"how many utterances of each emotion ({_listed(counts)})"
    return f"; the card says {told}, how long tuning took, and repeats the settings that the server had sent"


def _listed(counts: Sequence[int]) -> str:
    return ", ".join(map(str, counts))


def _sent(ledger: ClientLedger) -> list[Entry]:
    return [entry for entry in ledger.entries if entry.outcome == SENT]


def _numbers(entry: Entry) -> int:
    """How many numbers the weights of a message hold, from their shapes such as `F16[8, 16, 3, 3]`."""
    shapes = (re.findall(r"\d+", form.partition("[")[2]) for form in entry.tensors.values())
    return sum(math.prod(map(int, shape)) for shape in shapes)
