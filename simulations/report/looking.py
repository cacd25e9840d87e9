"""The figures of a comparison on vectors: samples beside real speech, how one number is spread, codes, losses.

Owns which modes are shown. Must not know how a figure is drawn (`simulations.report.vectors`).
"""

from collections.abc import Iterator

from common.scoring.labelled import Labelled
from simulations.comparison.codes import FITTED, MADE
from simulations.comparison.modes import REAL
from simulations.comparison.schema import Results
from simulations.report.curves import by_stage
from simulations.report.drawing import Drawing
from simulations.report.evidence import Evidence
from simulations.report.vectors import codes, histogram, losses, maps

SHOWN = 4
"""Modes at the most: more panels or lines take time and tell no more."""


def is_of_vectors(results: Results) -> bool:
    """Whether samples were vectors, as their measures tell."""
    return any(found.spread is not None for found in results.quality.values())


def map_of(results: Results, evidence: Evidence) -> Drawing | None:
    """Each shown mode's samples beside real speech, a panel a mode."""
    shown = best_modes(results, evidence)
    if REAL not in evidence.embeddings or not shown:
        return None
    clouds = {name: Labelled(*evidence.embeddings[name]) for name in (REAL, *shown)}
    return maps({name: (clouds[REAL], clouds[name]) for name in shown}, evidence.labels, seed=evidence.seed)


def histogram_of(results: Results, evidence: Evidence) -> Drawing | None:
    """One number of a vector, which the seed chose."""
    feature, columns = evidence.feature, evidence.columns
    made = {name: columns[name] for name in best_modes(results, evidence) if name in columns}
    if feature is None or REAL not in columns or not made:
        return None
    return histogram(columns[REAL], made, feature, seed=evidence.seed)


def codes_of(evidence: Evidence) -> Iterator[Drawing]:
    """Codes on a plane as they are, a figure a row; longer ones laid flat, a panel a row."""
    sides = {
        subject: {side: Labelled(*found) for side, found in of_it.items()} for subject, of_it in evidence.codes.items()
    }
    flat = {subject: of_it for subject, of_it in sides.items() if of_it[FITTED].values.shape[1] == 2}
    for subject, of_it in flat.items():
        yield codes(of_it, evidence.labels, name=f"codes-{subject}")
    if long := {subject: of_it for subject, of_it in sides.items() if subject not in flat}:
        pairs = {f"codes of {subject}": (of_it[FITTED], of_it[MADE]) for subject, of_it in long.items()}
        yield maps(pairs, evidence.labels, seed=evidence.seed, name="latent")


def losses_of(evidence: Evidence) -> Iterator[tuple[str, Drawing]]:
    """A figure for each stage of training; a panel a quantity, a line a mode."""
    for stage, panels in by_stage(evidence.curves).items():
        yield (
            stage,
            losses({name.replace("/", ": "): lines for name, lines in panels.items()}, name=f"training-{stage}"),
        )


def best_modes(results: Results, evidence: Evidence) -> tuple[str, ...]:
    """Those of the highest macro F1 whose samples can be looked at, in the order of the table."""
    scored = {name: row.macro_f1.mean for name, row in results.modes.items() if row.macro_f1 is not None}
    looked_at = [name for name in evidence.embeddings if name != REAL and name in scored]
    best = sorted(looked_at, key=lambda name: -scored[name])[:SHOWN]
    return tuple(name for name in results.modes if name in best)
