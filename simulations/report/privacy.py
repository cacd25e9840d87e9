"""What privacy costs: stored comparisons as one table and one figure, put into pages.

Owns the form and place of both. Must not know how a comparison is run.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from common.files import atomic_write
from common.settings import MethodsConfig
from common.synthesizers import SYNTHESIZERS
from simulations.comparison.modes import ABLATED
from simulations.comparison.schema import Attack, Results, Row
from simulations.comparison.units import LIMITS
from simulations.report.drawing import Drawing, canvas, finish
from simulations.report.palette import LIGHT
from simulations.report.readme import markdown
from simulations.report.skew import placed, read_runs
from simulations.report.wording import NOTHING, interval, many, megabytes, score

HEADINGS = (
    "corpus",
    "recognizer",
    "released",
    "macro F1",
    "95 %",
    "attack AUC",
    "90 %",
    "audits' verdicts",
    "epsilon",
    "delta",
    "releases of a site",
    "bytes of a site",
)
NONE = "none"
PLACE = "privacy"
"""Of the table in one document, and of the picture in another."""
FORMS = {"sum": ("one noise for the sum", "federated", "^"), "site": ("noise at each site", "baseline", "o")}
AVERAGED = "federated averaging", "centralized", "s"
GENERATORS = "the paper's GAN", "fifth", "D"
OTHERS = "other synthesizers", "soft", "P"
TOGETHER, ONE_SITE = "centralized", "one site"
"""The mode whose generator is fitted to all sessions is the release of one site that holds them all."""
LABELS = {
    "^": ((0, 5), "center", "bottom"),
    "o": ((0, -6), "center", "top"),
    "s": ((7, 0), "left", "center"),
    "D": ((7, 0), "left", "center"),
    "P": ((7, 0), "left", "center"),
    ONE_SITE: ((6, 5), "right", "bottom"),
}
"""Where words stand beside each mark, or those words: offset and what of them lies there."""
EPSILON, RANK = "epsilon ", "rank "
WIDTH, HEIGHT = 300.0, 232.0
"""Points: type of 9 of them is read on a phone."""


def privacy_block(runs: Sequence[Results]) -> str:
    """A row a run and mode; and what the numbers are."""
    first, makers = runs[0], dict.fromkeys(str(run.environment["eyesoff"]) for run in runs)
    rows = [[run.corpus, _reader(run), name, *_cells(row)] for run in runs for name, row in run.modes.items()]
    audits = next(row.attack for run in runs for row in run.modes.values() if row.attack is not None)
    tested = "; ".join(dict.fromkeys(map(_tested, runs)))
    return (
        f"{markdown(HEADINGS, rows)}\n"
        f"{tested}. Macro F1: mean over folds and seeds, interval bootstrapped over speakers and seeds. Attack AUC: "
        "share of pairs of an utterance that was in and one that was not which are told right; 0.5 is chance. It is "
        f"the mean over sites and seeds, from {audits.twins} fits to halves an audit; what is made of a sum is "
        "attacked as a whole, of averaging each site's networks of every round; what is fitted to all sessions is "
        "attacked as the release of one site that holds them, while its score is that of one fit a fold. Its "
        "interval: the mean of audits' own bounds. Verdicts: how many audits "
        "came to each, under the limits that a site has unless its policy says otherwise; a release is never let go "
        f"where a site has fewer than {LIMITS.speakers} speakers, so there `cannot tell` is the best that an audit can "
        "say, and what is averaged in rounds is judged by no audit. Epsilon and delta hold for one utterance added or "
        "removed, by Gaussian noise on sums of clipped vectors; none: nothing is promised. "
        f"Bytes of a sum are those of masks, shares and numbers. Made with eyesoff {', '.join(makers)} by "
        f"`make privacy` and `make privacy-gan`; the first run was `{first.command}`.\n"
    )


def _tested(run: Results) -> str:
    utterances = sum(sum(fold.utterances) for fold in run.folds)
    speakers = many(sum(len(fold.speakers) for fold in run.folds), "speaker")
    counted = f"{speakers}, {many(len(run.folds), 'fold')}, {many(len(run.seeds), 'seed')}"
    return f"{run.corpus}, n = {utterances} utterances of {counted}, recognizer {_reader(run)}"


def _reader(run: Results) -> str:
    return str(run.settings["methods"]["recognizer"])


def _cells(row: Row) -> list[str]:
    found, attack = row.macro_f1, row.attack
    scored = ["failed", NOTHING] if found is None else [score(found.mean), interval(found.low, found.high)]
    attacked = [NOTHING] * 3
    if attack is not None:
        attacked = [score(attack.auc), interval(attack.low, attack.high), attack.words or NOTHING]
    silent = NOTHING if row.releases is None else NONE
    promised = [silent, NOTHING] if row.epsilon is None else [f"{row.epsilon:g}", f"{row.delta:g}"]
    taken = [NOTHING if one is None else str(one) for one in (row.releases,)]
    return [*scored, *attacked, *promised, *taken, NOTHING if row.bytes is None else megabytes(row.bytes)]


def curve(runs: Sequence[Results]) -> Drawing:
    """Score against attack, a panel a corpus: what lies high and left is worth most and tells least."""
    corpora = _by_corpus(runs)
    with canvas(HEIGHT * len(corpora), width=WIDTH) as figure:
        panels = figure.subplots(len(corpora), squeeze=False, sharex=True)[:, 0]
        for axes, (corpus, points) in zip(panels, corpora.items(), strict=True):
            axes.set_title(corpus)
            axes.set_ylabel("macro F1")
            axes.grid()
            for form, place in points.items():
                _draw(axes, form, place)
        panels[-1].set_xlabel("attack AUC (0.5: nothing is told)")
        panels[-1].legend(
            loc="upper left", fontsize=8, title=_legend_title(corpora), title_fontsize=8, handles=_handles(panels)
        )
        return finish(figure, PLACE, _alt(corpora))


Point = tuple[str, float, Attack]
"""What it is marked with, macro F1, attack."""


Form = tuple[str, str, str]
"""Heading, colour, mark."""
Corpora = dict[str, dict[Form, list[Point]]]


def _by_corpus(runs: Sequence[Results]) -> Corpora:
    """Points by form of release, of all runs on a corpus together."""
    found: Corpora = {}
    for run in runs:
        for name, row in run.modes.items():
            if row.attack is not None and row.macro_f1 is not None:
                form, mark = _mark(name, row)
                found.setdefault(run.corpus, {}).setdefault(form, []).append((mark, row.macro_f1.mean, row.attack))
    return found


def _mark(name: str, row: Row) -> tuple[Form, str]:
    if row.synthesizer is None:
        return AVERAGED, name.rsplit(", ", 1)[-1]
    if row.synthesizer == MethodsConfig().synthesizer:
        return GENERATORS, {TOGETHER: ONE_SITE, ABLATED: "whole"}.get(name, name)
    one = SYNTHESIZERS.methods.get(row.synthesizer)  # of a stored row it may not be installed here
    if one is None or one.sums is None or name == one.title:  # which carries no noise; what a fold fits is no site's
        return OTHERS, name
    return FORMS["sum" if "summed" in name else "site"], "none" if row.epsilon is None else f"{EPSILON}{row.epsilon:g}"


def _handles(panels: Iterable[Any]) -> list[Any]:
    """One of each form, whichever panel it is in."""
    every = {label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    return list(every.values())


def _legend_title(corpora: Corpora) -> str:
    """What the points of a line with noise are, for words at its ends alone leave the middle open."""
    marks = dict.fromkeys(
        mark for forms in corpora.values() for form in FORMS.values() for mark, *_ in forms.get(form, ())
    )
    return f"along a line epsilon: {', '.join(mark.removeprefix(EPSILON) for mark in marks)}" if marks else ""


def _draw(axes: Any, form: Form, points: Sequence[Point]) -> None:
    """A line a form. Its ends are named, for words beside every point would lie on each other; what stands alone is."""
    alone = form in (GENERATORS, OTHERS)
    heading, colour, marker = form
    places = [attack.auc for _, _, attack in points]
    scores = [value for _, value, _ in points]
    axes.plot(places, scores, linestyle="none" if alone else "-", color=LIGHT[colour], linewidth=1, alpha=0.5)
    axes.plot(places, scores, marker, color=LIGHT[colour], markersize=6, label=heading)
    for mark, value, attack in points if alone else (points[0], points[-1])[: len(points)]:
        place, (offset, side, height) = (attack.auc, value), LABELS.get(mark, LABELS[marker])
        axes.annotate(
            mark.removeprefix(EPSILON).removeprefix(RANK),
            place,
            xytext=offset,
            textcoords="offset points",
            ha=side,
            va=height,
            fontsize=8,
            color=LIGHT[colour],
        )
    axes.margins(0.2, 0.2)


def _alt(corpora: Corpora) -> str:
    """All points in words."""
    told = [
        f"{corpus}, {form[0]}: "
        + ", ".join(f"{mark} {score(value)} at {score(attack.auc)}" for mark, value, attack in points)
        for corpus, forms in corpora.items()
        for form, points in forms.items()
    ]
    return f"Macro F1 against the AUC of an attack. {'; '.join(told)}."


def picture_block(runs: Sequence[Results], path: str) -> str:
    """The figure with its words, as a page has it."""
    return f"![{curve(runs).alt}]({path})\n"


if __name__ == "__main__":
    stored, results, readme, picture = map(Path, sys.argv[1:5])
    found = read_runs(stored)
    pages = {results: (privacy_block(found), PLACE), readme: (picture_block(found, str(picture)), PLACE)}
    for page, (block, name) in pages.items():
        atomic_write(page, placed(page.read_text(encoding="utf-8"), block, name).encode())
    atomic_write(picture, curve(found).png)
