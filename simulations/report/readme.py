"""The README's tables of results, generated from a stored run between two comments.

Owns the comments and the words between them. Must not know what else a README says.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from common.errors import UserError
from common.files import atomic_write
from common.scoring import Score
from simulations.comparison.arms import counted, is_drawn, repeats
from simulations.comparison.modes import REAL
from simulations.comparison.schema import Results, read_results
from simulations.report.arms import arms_table
from simulations.report.cells import Cell
from simulations.report.published import Printed, printed_for
from simulations.report.shares import shares_of_real
from simulations.report.tables import ablations_table, made_with, papers_number, reason_of
from simulations.report.wording import AS_SEEDS, NOTHING, interval, many, percent, percents, score

WIDTH = 8
"""Columns that every table has."""
SPREAD = (
    "Spread is how far samples of an emotion deviate, real speech being 1: near 0 they are all alike, and a score "
    "hides that. "
)


def update_readme(readme: Path, run: Path) -> None:
    """Put the table of a stored run between its two comments, and change nothing else."""
    text = _read(readme)
    atomic_write(readme, with_results(text, run, readme).encode())


def with_results(text: str, run: Path, where: object = "README.md") -> str:
    """A README's text with the table of a run as it should stand there."""
    folder = run.resolve().parent if run.is_file() else run.resolve()
    first, last = comments(folder.name)
    block = re.compile(f"{re.escape(first)}\n.*?{re.escape(last)}", re.DOTALL)
    if len(block.findall(text)) != 1:
        remedy = f"put the two lines {first} and {last} where they belong, once"
        raise UserError(f"no place for the results of {folder.name}", where=where, remedy=remedy)
    table = results_block(read_results(run))
    return block.sub(lambda _: f"{first}\n{table}{last}", text)


def comments(name: str) -> tuple[str, str]:
    """What stands around the results of a run.

    >>> comments("emodb")
    ('<!-- results: emodb -->', '<!-- end of results: emodb -->')
    """
    return f"<!-- results: {name} -->", f"<!-- end of results: {name} -->"


def results_block(results: Results) -> str:
    """The tables as Markdown, with what their numbers are."""
    shares, printed = shares_of_real(results), printed_for(results.preset)
    beside = any(papers_number(results, name) for name in results.modes)
    spreads = _spreads(results)
    usual = ("trained on", "macro F1", "95 %", "± folds", f"± {repeats(results)}", "UAR", "of real", "gap closed")
    headings = (*usual, *["spread"] * bool(spreads), *[printed.heading] * beside)
    rows = [
        [
            *_row(results, name, shares.get(name)),
            *[spreads.get(name, NOTHING)] * bool(spreads),
            *[papers_number(results, name) or NOTHING] * beside,
        ]
        for name in results.modes
    ]
    table = markdown(headings, rows)
    papers = f"The last column is {_corpus(printed)} ({printed.paper}), so compare ratios. " if beside else ""
    arms = f"The first table is of {results.protocol}. " if results.arms else ""
    utterances = sum(sum(fold.utterances) for fold in results.folds)
    speakers = sum(len(fold.speakers) for fold in results.folds)
    return (
        f"{table}\n{_further(results)}"
        f"{results.corpus}, preset `{results.preset}`: n = {utterances} utterances of "
        f"{many(speakers, 'speaker')}, {many(len(results.folds), 'fold')}, {counted(results, results.seeds)}. "
        "Macro F1 and UAR are means over the emotions that a fold holds, over folds and seeds; intervals are "
        f"bootstrapped over speakers and seeds; ± is the sample deviation. {arms}{f'{AS_SEEDS} ' * is_drawn(results)}"
        f"{SPREAD * bool(spreads)}{papers}"
        f"{made_with(results)} `{results.command}`.\n"
    )


def _spreads(results: Results) -> dict[str, str]:
    """Of the samples of each mode; nothing where they are patches, or where nobody measured them."""
    return {
        name: f"{one.spread.mean:.2f}" for name, one in results.quality.items() if one.spread and name in results.modes
    }


def _corpus(printed: Printed) -> str:
    return printed.about.partition(";")[0]


def _further(results: Results) -> str:
    """What each turned setting is worth, and each mode in each arm of the protocol; nothing where there is none."""
    told = ""
    for found in (ablations_table(results), arms_table(results)):
        if found.rows:
            headings, *rows = ([_in_one_line(cell) for cell in line] for line in (found.headings, *found.rows))
            told += f"{found.caption}\n\n{markdown(headings, rows)}\n"
    return told


def _in_one_line(cell: Cell) -> str:
    return f"{cell.value} ({', '.join(cell.note.splitlines())})" if cell.note else cell.value


def markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join("|".join(["", *(f" {cell} " for cell in line), "\n"]) for line in lines)


def _row(results: Results, name: str, share: Score | None) -> list[str]:
    mode = results.modes[name]
    found, closed = mode.macro_f1, results.gap_closed.get(name)
    if found is None:
        return [name, f"failed: {reason_of(results, name)}", *[NOTHING] * (WIDTH - 2)]
    return [
        name,
        score(found.mean),
        interval(found.low, found.high),
        score(found.std_over_folds),
        score(found.std_over_seeds),
        score(mode.uar.mean if mode.uar else None),
        _share(share.value, share.low, share.high) if share else "100 %" if name == REAL else NOTHING,
        _share(closed.value, closed.low, closed.high) if closed else NOTHING,
    ]


def _share(value: float, low: float, high: float) -> str:
    return f"{percent(value)} ({percents(low, high)})"


def _read(readme: Path) -> str:
    try:
        return readme.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise UserError("no README that can be read", where=readme, remedy="name one that is there") from None
