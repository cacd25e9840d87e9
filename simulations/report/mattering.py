"""The few comparisons that a reader came for, before all the others.

Owns which these are. Must not know how a difference was computed.
"""

from dataclasses import replace

from simulations.comparison.modes import FLOOR, REAL
from simulations.comparison.schema import Pair, Results
from simulations.report.cells import Cell, Table
from simulations.report.headline import answering
from simulations.report.tables import difference_cell

MOST = 3
METRIC = "macro_f1"
SURE = 6
"""Pairs below which no p comes under 5 %, however large the difference."""


def mattering(results: Results) -> list[Pair]:
    """Of the mode that answers: to real speech, to what else was made of the same, to the least that would do.

    Each is turned so that its first mode is the real speech, or else the answer.
    """
    scored = [name for name, mode in results.modes.items() if mode.macro_f1]
    answer = next((name for name in answering(results) if name in scored), None)
    if answer is None:
        return []
    others = [name for name in scored if name not in (answer, REAL, FLOOR)]
    # Never by their scores: siblings of the answer first, then in the order of the table, the floor last.
    others.sort(key=lambda name: name not in answering(results))
    known = {(pair.first, pair.second): pair for pair in results.paired if pair.metric == METRIC}
    wanted = [(REAL, answer), *((answer, name) for name in (*others, FLOOR))]
    found = [one for first, second in wanted if (one := _between(known, first, second))]
    return found[:MOST]


def _between(known: dict[tuple[str, str], Pair], first: str, second: str) -> Pair | None:
    if (first, second) in known:
        return known[first, second]
    pair = known.get((second, first))
    if pair is None:
        return None
    turned = -pair.difference, -pair.high, -pair.low
    return replace(pair, first=first, second=second, difference=turned[0], low=turned[1], high=turned[2])


def mattering_table(results: Results) -> Table:
    """A row each, with what it comes to in words."""
    rows = tuple(
        (Cell(f"{pair.first} − {pair.second}", wide=True), difference_cell(pair), Cell(_reading(pair), wide=True))
        for pair in mattering(results)
    )
    headings = (Cell("comparison"), Cell("difference in macro F1", "95 % and p"), Cell("which means", wide=True))
    caption = "On the same folds and seeds. All pairs and all metrics stand under Modes in pairs."
    return Table(caption, headings, rows)


def _reading(pair: Pair) -> str:
    if not pair.different and pair.pairs < SURE:
        return f"Not sure: {pair.pairs} pairs are too few for any difference to be. More seeds make more pairs."
    if not pair.different:
        return "No difference is sure: this many folds, seeds and speakers cannot tell them apart."
    better, worse = (pair.first, pair.second) if pair.difference > 0 else (pair.second, pair.first)
    return f"{better} is better than {worse}, beyond the luck of speakers and of training."
