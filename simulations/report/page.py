"""The page itself: what stands in it, in the order in which a reader asks.

Owns the order, the titles and the template. Must not know how a table or a figure is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.errors import UserError
from simulations.comparison.arms import counted, is_drawn
from simulations.comparison.schema import Results
from simulations.report.arms import arms_figure, arms_table
from simulations.report.cells import Table
from simulations.report.curves import training
from simulations.report.drawing import Drawing
from simulations.report.evidence import Evidence
from simulations.report.headline import Headline
from simulations.report.leaving import kinds_that_left, leaving_table
from simulations.report.listening import heard_mode, sounds
from simulations.report.looking import codes_of, histogram_of, is_of_vectors, losses_of, map_of
from simulations.report.mattering import mattering_table
from simulations.report.neighbours import neighbours
from simulations.report.published import LINK
from simulations.report.rendering import HERE, render
from simulations.report.scores import bars, confusions, pairs
from simulations.report.shares import shares_of_real
from simulations.report.spectrograms import paired, real_and_generated
from simulations.report.tables import (
    ablations_table,
    cost_table,
    failures_table,
    folds_table,
    made_with,
    pairs_table,
    quality_table,
    quarantined_table,
    results_table,
    settings,
    vector_quality_table,
)

LARGEST = 5_000_000
"""Bytes that a report may have: it travels by mail."""
ASIDE = "quarantined"
KICKERS = {"comparison": "Comparison", "campaign": "Campaign", "bootstrap": "Recognizer from a bank"}
SECTIONS = {
    "results": "Results",
    "arms": "The arms of the protocol",
    "pairs": "Modes in pairs",
    "ablations": "What each setting is worth",
    "spectrograms": "Real and generated speech",
    "listening": "Listen",
    "confusions": "Which emotions are confused",
    "neighbours": "Real and synthetic in one map",
    "codes": "Codes",
    "quality": "Quality of samples",
    "leaving": "What left each client",
    "training": "Training",
    "cost": "Cost and time",
    ASIDE: "Put aside",
    "failures": "Failures",
    "environment": "How it was made",
}


@dataclass(frozen=True)
class Report:
    """The page, its figures and its tables."""

    page: str
    figures: tuple[Drawing, ...]
    tables: Mapping[str, Table]


def build(results: Results, evidence: Evidence) -> Report:
    """The same bytes for the same run."""
    heard = heard_mode(evidence)
    drawn: dict[str, Any] = {
        "bars": bars(results),
        "pairs": pairs(results),
        "spectrograms": real_and_generated(evidence),
        "paired": None if heard is None else paired(evidence, heard),
        "confusions": tuple(confusions(results)),
        "neighbours": map_of(results, evidence) if is_of_vectors(results) else neighbours(evidence),
        "histogram": histogram_of(results, evidence),
        "arms_figure": arms_figure(results),
        "codes": tuple(codes_of(evidence)),
        "training": tuple(losses_of(evidence) if is_of_vectors(results) else training(evidence.curves)),
    }
    words = _words(results, evidence) | {"heard": heard, "sounds": sounds(evidence)}
    content = words | drawn
    told = _told(results, content)
    sections = {key: title for key, title in SECTIONS.items() if key in told}
    page = render(HERE / "page.html", content | {"sections": sections})
    if len(page.encode()) > LARGEST:
        raise UserError(f"a report of {len(page.encode()):,} bytes, more than {LARGEST:,}", remedy="name fewer --modes")
    names = ("bars", "pairs", "spectrograms", "paired", "neighbours", "histogram", "arms_figure")
    single = [drawn[name] for name in names if drawn[name]]
    figures = (*single, *drawn["confusions"], *drawn["codes"], *(figure for _, figure in drawn["training"]))
    return Report(page, figures, {name: table for name, table in words["tables"].items() if table.rows})


def _told(results: Results, content: Mapping[str, Any]) -> set[str]:
    """The sections that have something to say, and how it was made."""
    filled = {name for name in SECTIONS if content.get(name)}
    filled |= {name for name, table in content["tables"].items() if table.rows and name in SECTIONS}
    filled |= {"listening"} if content["sounds"] else set()
    filled |= {"spectrograms"} if content["paired"] else set()
    filled |= {"quality"} if content["tables"]["vector_quality"].rows or content["histogram"] else set()
    empty = {"results"} if not results.folds else set()
    empty |= {"cost"} if not results.seconds else set()
    return filled - empty | {"environment"}


def _words(results: Results, evidence: Evidence) -> dict[str, Any]:
    shares = shares_of_real(results)
    tables = {
        "results": results_table(results, shares),
        "folds": folds_table(results),
        "arms": arms_table(results),
        "pairs": pairs_table(results),
        "ablations": ablations_table(results),
        "quality": quality_table(results),
        "vector_quality": vector_quality_table(results),
        "leaving": leaving_table(evidence.ledgers),
        "cost": cost_table(results),
        "mattering": mattering_table(results),
        ASIDE: quarantined_table(results),
        "failures": failures_table(results),
    }
    return {
        "results": results,
        "seeds": counted(results, results.seeds) if is_drawn(results) else ", ".join(map(str, results.seeds)),
        "evidence": evidence,
        "kicker": KICKERS[results.what],
        "headline": Headline.of(results, shares),
        "tables": tables,
        "kinds": tuple(kinds_that_left(evidence.ledgers)),
        "of_vectors": is_of_vectors(results),
        "made_with": made_with(results),
        "paper_link": LINK,
        "settings": tuple(settings(results.settings)),
        "pretrained": tuple(settings(results.pretrained)),
    }
