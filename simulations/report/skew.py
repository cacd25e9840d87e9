"""What skewed sites cost: stored comparisons of one corpus under several skews as one table, put into a page.

Owns that table's form and place. Must not know how a comparison is run.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common.files import atomic_write
from common.scoring import AVERAGED_OVER
from simulations.comparison.modes import REAL
from simulations.comparison.results import read_results
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


def skew_block(runs: Sequence[Mapping[str, Any]]) -> str:
    """A row a run and mode, the whole corpus first and the smaller concentrations last; and what the numbers are."""
    runs = sorted(runs, key=_place)
    rows = [row for run in runs for row in _rows(run)]
    first = runs[0]
    emotions, folds, seeds = len(first["labels"]), len(first["folds"]), len(first["seeds"])
    return (
        f"{markdown(HEADINGS, rows)}\n"
        f"{first['corpus']}, preset `{first['preset']}`: {many(folds, 'fold')}, {many(seeds, 'seed')}, one draw of "
        "each skew. Normalised by: whose mean and deviation scale the vectors. n: utterances that the skew left, which are "
        f"trained on and scored. Lacking: how many of the {emotions} emotions of {many(folds, 'session')} have no "
        f"utterance, added up. Macro F1 and UAR are means over {AVERAGED_OVER}, fold by fold; pooled: of all folds' "
        "counts added up. Of real: of the macro F1 of recognizers that heard the same skewed speech itself. Made with "
        f"eyesoff {first['environment']['eyesoff']} by `make skew`; the first run was `{first['command']}`.\n"
    )


def _place(results: Mapping[str, Any]) -> tuple[int, float]:
    skew = skew_of(results)
    return list(NORMALISED).index(_normalisation(results)), -float("inf") if skew == NONE else -float(skew)


def _normalisation(results: Mapping[str, Any]) -> str:
    return str(results["settings"]["vectors"]["normalisation"])


def skew_of(results: Mapping[str, Any]) -> str:
    """As its settings spell it."""
    return str(results["settings"]["corpus"].get("skew", NONE))


def _rows(results: Mapping[str, Any]) -> list[list[str]]:
    lacking = sum(count == 0 for fold in results["folds"] for count in fold["utterances"])
    total = sum(sum(fold["utterances"]) for fold in results["folds"])
    real = (results["modes"].get(REAL) or {}).get("macro_f1")
    shown = [NORMALISED[_normalisation(results)], skew_of(results), str(total), str(lacking)]
    modes = results["modes"].items()
    return [[*shown, name, *_scores(mode, real if name != REAL else None)] for name, mode in modes]


def _scores(mode: Mapping[str, Any], real: Mapping[str, Any] | None) -> list[str]:
    found = mode["macro_f1"]
    if found is None:
        return ["failed", *[NOTHING] * 4]
    return [
        score(found["mean"]),
        interval(found["low"], found["high"]),
        score(mode["uar"]["mean"]),
        score(mode["pooled"]["macro_f1"]),
        percent(found["mean"] / real["mean"]) if real else NOTHING,
    ]


def placed(page: str, block: str) -> str:
    """The page with another table.

    >>> placed("a<!-- results: skew -->old<!-- end of results: skew -->b", "new").splitlines()
    ['a<!-- results: skew -->', 'new<!-- end of results: skew -->b']
    """
    first, last = comments("skew")
    before, rest = page.split(first)
    _, after = rest.split(last)
    return f"{before}{first}\n{block}{last}{after}"


def read_runs(folder: Path) -> list[dict[str, Any]]:
    """The runs of a folder, each in one of its own."""
    return [read_results(path.parent) for path in sorted(folder.glob("*/results.json"))]


if __name__ == "__main__":
    page = Path(sys.argv[2])
    text = placed(page.read_text(encoding="utf-8"), skew_block(read_runs(Path(sys.argv[1]))))
    atomic_write(page, text.encode())
