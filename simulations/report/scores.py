"""Figures of the scores: bars with intervals, differences in pairs, confusions.

Owns their layout. Must not know how a score comes about.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from common.scoring import Summary
from simulations.comparison.schema import Results, Row
from simulations.report.drawing import Drawing, canvas, finish
from simulations.report.palette import LIGHT, of_mode, readable_on
from simulations.report.wording import interval, percent, score

ROW = 34.0
"""Points that a mode has in height."""
LONG = 30
"""Letters of a pair's names that leave room for its interval on a phone."""


def scored(results: Results) -> dict[str, tuple[Row, Summary]]:
    """The modes that have a score, with their macro F1, in the order of the table."""
    return {name: (mode, mode.macro_f1) for name, mode in results.modes.items() if mode.macro_f1 is not None}


def bars(results: Results) -> Drawing | None:
    """Macro F1 by mode, its interval as a line, each fold and seed as a dot."""
    modes = scored(results)
    if not modes:
        return None
    with canvas(ROW * len(modes) + 42) as figure:
        axes = figure.subplots()
        for place, (name, (mode, found)) in enumerate(modes.items()):
            colour = of_mode(name, list(results.modes))
            axes.barh(place, found.mean, height=0.52, color=colour, alpha=0.38, linewidth=0)
            axes.plot([found.mean] * 2, [place - 0.26, place + 0.26], color=colour, linewidth=2.4)
            dots = np.ravel([value for fold in (mode.by_fold or {}).values() for value in fold])
            axes.plot(
                dots, np.full(len(dots), place + 0.39), ".", color=colour, markersize=3.5, alpha=0.8, clip_on=False
            )
            axes.plot([found.low, found.high], [place] * 2, color=LIGHT["ink"], linewidth=1.2)
            axes.plot([found.low, found.high], [place] * 2, "|", color=LIGHT["ink"], markersize=6)
            axes.text(found.high + 0.015, place, score(found.mean), va="center", fontweight="bold")
        axes.set_yticks(range(len(modes)), list(modes), color=LIGHT["ink"])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(modes) - 0.4, -0.6)
        axes.set_xlim(0, 1.1)
        axes.set_xticks(np.linspace(0, 1, 6))
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("macro F1")
        told = "; ".join(_told(name, found) for name, (_, found) in modes.items())
        return finish(figure, "scores", f"Bars of macro F1 with 95 % intervals. {told}.")


def _told(name: str, found: Summary) -> str:
    return f"{name} {score(found.mean)} ({interval(found.low, found.high)})"


def pairs(results: Results) -> Drawing | None:
    """Differences between two modes in macro F1, on the same folds and seeds."""
    rows = [row for row in results.paired if row.metric == "macro_f1"]
    if not rows:
        return None
    names = [f"{row.first} − {row.second}" for row in rows]
    two_lines = max(map(len, names)) > LONG
    with canvas((40 if two_lines else 24) * len(rows) + 42) as figure:
        axes = figure.subplots()
        axes.axvline(0, color=LIGHT["soft"], linewidth=0.9)
        for place, row in enumerate(rows):
            colour = LIGHT["federated"] if row.different else LIGHT["floor"]
            axes.plot([row.low, row.high], [place] * 2, color=colour, linewidth=2.2, solid_capstyle="butt")
            filled = colour if row.different else LIGHT["paper"]
            axes.plot(row.difference, place, "o", color=colour, markerfacecolor=filled, markersize=5.5)
        shown = [f"{row.first}\n− {row.second}" for row in rows] if two_lines else names
        axes.set_yticks(range(len(rows)), shown, color=LIGHT["ink"])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("difference in macro F1")
        sure = [name for name, row in zip(names, rows, strict=True) if row.different]
        told = f"Sure: {'; '.join(sure)}" if sure else "None of them is sure"
        return finish(figure, "pairs", f"Differences of modes in pairs with 95 % intervals. {told}.")


def confusions(results: Results) -> Iterator[Drawing]:
    """A matrix a mode: of each true emotion, what share was taken for which."""
    labels = results.labels
    for name, (mode, _) in scored(results).items():
        counts = np.asarray(mode.confusion, dtype=np.float64)
        totals = counts.sum(axis=1, keepdims=True)
        shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0).clip(0, 1)  # of noise as well
        with canvas(232, width=236) as figure:
            axes = figure.subplots()
            _cells(axes, shares, counts, of_mode(name, list(results.modes)))
            axes.set_xticks(range(len(labels)), labels)
            axes.set_yticks(range(len(labels)), labels, rotation=90, va="center")
            axes.set_xlabel("taken for")
            axes.set_ylabel("spoken")
            axes.set_title(name)
            told = ", ".join(f"{label} {percent(shares[i, i])}" for i, label in enumerate(labels))
            alt = f"Confusion matrix of {name}; recognized rightly: {told}."
            yield finish(figure, f"confusion-{name}", alt)


def _cells(axes: Any, shares: np.ndarray, counts: np.ndarray, colour: str) -> None:
    from matplotlib.patches import Rectangle

    size = len(shares)
    for true, predicted in np.ndindex(shares.shape):
        share = float(shares[true, predicted])
        place = (predicted - 0.47, true - 0.47)
        axes.add_patch(Rectangle(place, 0.94, 0.94, facecolor=colour, alpha=0.06 + 0.94 * share, linewidth=0))
        ink = readable_on(colour, 0.06 + 0.94 * share)
        axes.text(predicted, true - 0.08, percent(share), ha="center", va="center", color=ink)
        number = f"{counts[true, predicted]:.0f}"
        axes.text(predicted, true + 0.22, number, ha="center", va="center", color=ink, fontsize=11, alpha=0.8)
    axes.set_xlim(-0.5, size - 0.5)
    axes.set_ylim(size - 0.5, -0.5)
    axes.set_aspect("equal")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
