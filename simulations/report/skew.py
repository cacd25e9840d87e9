"""What skewed sites cost: stored comparisons of one corpus under several skews as one table, put into a page.

Owns that table's form and place. Must not know how a comparison is run.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from common.files import atomic_write
from common.scoring import AVERAGED_OVER
from simulations.comparison.modes import REAL
from simulations.comparison.schema import Results, Row, read_results
from simulations.report.readme import comments, markdown
from simulations.report.wording import NOTHING, interval, many, percent, score

HEADINGS = (
    "normalised by",
    "skew",
    "n",
    "lacking",
    "trained on",
    "macro F1",
    "95 %",
    "UAR",
    "pooled macro F1",
    "of real",
)
NONE = "none"
NORMALISED = {"training": "training part", "session": "each session", "public": "public speech"}


def skew_block(runs: Sequence[Results]) -> str:
    """A row a run and mode, the whole corpus first and the smaller concentrations last; and what the numbers are."""
    runs = sorted(runs, key=_place)
    rows = [row for run in runs for row in _rows(run)]
    first = runs[0]
    emotions, folds, seeds = len(first.labels), len(first.folds), len(first.seeds)
    return (
        f"{markdown(HEADINGS, rows)}\n"
        f"{first.corpus}, preset `{first.preset}`: {many(folds, 'fold')}, {many(seeds, 'seed')}, one draw a skew. "
        "Normalised by: whose mean and deviation scale the vectors. n: utterances that the skew left, to train on and "
        f"to score. Lacking: how many of the {emotions} emotions of {many(folds, 'session')} have no utterance, "
        f"added up. Macro F1 and UAR are means over {AVERAGED_OVER}, fold by fold; pooled: of all folds' counts "
        "added up. Of real: of the macro F1 of recognizers that heard the same skewed speech itself. Made with eyesoff "
        f"{first.environment['eyesoff']} by `make skew`; the first run was `{first.command}`.\n"
    )


def _place(results: Results) -> tuple[int, float]:
    skew = _skew(results)
    return list(NORMALISED).index(_normalisation(results)), -float("inf") if skew == NONE else -float(skew)


def _skew(results: Results) -> str:
    return str(results.settings["corpus"].get("skew", NONE))


def _normalisation(results: Results) -> str:
    return str(results.settings["vectors"]["normalisation"])


def _rows(results: Results) -> list[list[str]]:
    lacking = sum(count == 0 for fold in results.folds for count in fold.utterances)
    total = sum(sum(fold.utterances) for fold in results.folds)
    shown = [NORMALISED[_normalisation(results)], _skew(results), str(total), str(lacking)]
    real = results.modes.get(REAL)
    return [[*shown, name, *_scores(row, real if name != REAL else None)] for name, row in results.modes.items()]


def _scores(row: Row, real: Row | None) -> list[str]:
    if row.macro_f1 is None or row.uar is None or row.pooled is None:
        return ["failed", *[NOTHING] * 4]
    found = row.macro_f1
    return [
        score(found.mean),
        interval(found.low, found.high),
        score(row.uar.mean),
        score(row.pooled["macro_f1"]),
        percent(found.mean / real.macro_f1.mean) if real and real.macro_f1 else NOTHING,
    ]


def placed(page: str, block: str, name: str = "skew") -> str:
    """The page with another table.

    >>> placed("a<!-- results: skew -->old<!-- end of results: skew -->b", "new").splitlines()
    ['a<!-- results: skew -->', 'new<!-- end of results: skew -->b']
    """
    first, last = comments(name)
    before, rest = page.split(first)
    _, after = rest.split(last)
    return f"{before}{first}\n{block}{last}{after}"


def read_runs(folder: Path) -> list[Results]:
    """The runs of a folder, each in one of its own."""
    return [read_results(path.parent) for path in sorted(folder.glob("*/results.json"))]


if __name__ == "__main__":
    page = Path(sys.argv[2])
    text = placed(page.read_text(encoding="utf-8"), skew_block(read_runs(Path(sys.argv[1]))))
    atomic_write(page, text.encode())
