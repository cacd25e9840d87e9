"""The one picture of an audit: how well its attack told members from outsiders, beside chance and the site's limit.

Owns the drawing. Must not know how the score was measured.
"""

from common.audit.verdict import Limits, Verdict
from simulations.report.drawing import SINGLE, Drawing, canvas, finish
from simulations.report.palette import LIGHT
from simulations.report.wording import interval, score

CHANCE = 0.5
WIDTH, HEIGHT = SINGLE, 112.0
"""Points: so narrow that one form, with words that can be read, fits a phone and the column of a desk."""
COLOURS = {"release": "centralized", "refuse": "baseline", "cannot-tell": "floor"}
"""By the audit's word."""


def told_apart(name: str, verdict: Verdict, limits: Limits) -> Drawing | None:
    """On a scale from no better than chance to always right; None where nothing was measured."""
    if verdict.auc is None or verdict.low is None or verdict.high is None:
        return None
    colour = LIGHT[COLOURS[verdict.word]]
    with canvas(HEIGHT, width=WIDTH) as figure:
        axes = figure.subplots()
        axes.axvspan(limits.auc, 1.0, color=LIGHT["baseline"], alpha=0.12, linewidth=0)
        for place, words, side in ((CHANCE, "chance", "right"), (limits.auc, "your limit", "left")):
            axes.axvline(place, color=LIGHT["soft"], linewidth=1.0, linestyle=(0, (3, 2)))
            shift = -0.006 if side == "right" else 0.006
            axes.text(place + shift, 0.9, words, ha=side, va="center", fontsize=8.5, color=LIGHT["soft"])
        axes.plot([verdict.low, verdict.high], [0, 0], color=colour, linewidth=2.6, solid_capstyle="butt")
        axes.plot(verdict.auc, 0, "o", color=colour, markersize=8)
        axes.text(verdict.auc, -0.5, score(verdict.auc), ha="center", va="center", fontweight="bold", fontsize=10)
        axes.set_xlim(min(0.38, verdict.low - 0.02), 1.0)
        axes.set_ylim(-0.95, 1.2)
        axes.set_yticks([])
        axes.set_xticks([0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("share of pairs in which the attack is right")
        told = f"{score(verdict.auc)} ({interval(verdict.low, verdict.high)})"
        alt = f"The attack finds the used recording in {told} of pairs; chance is 0.5, your limit {limits.auc:.2f}."
        return finish(figure, f"audit-{name}", alt)
