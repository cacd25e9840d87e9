"""Figures of the vector systems: losses, maps, one feature, scores by how much is added, codes, imbalance.

Owns their layout. Must not know where the numbers come from: arrays go in, a drawing comes out. They are narrower than
the other figures, so that their type stays readable on a phone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from common.errors import UserError
from common.scoring.labelled import Labelled
from common.seeds import derive_seed, numpy_stream
from simulations.report.drawing import NARROW, Drawing, canvas, finish
from simulations.report.palette import LIGHT, MARKERS, of_emotion
from simulations.report.wording import measure, percent, score

WIDTH = 360.0
PANEL = 128.0
"""Points that a panel has in height."""
LINE_AND_GAP, LETTER = 44.0, 6.6
"""Points that a line of a legend takes before its name, and for each letter of it, in the smallest type."""
SQUARE = 176.0
"""The same, of one whose two axes are alike."""
EACH = 400
"""Vectors of a side in a map at the most: more take minutes and show no more."""
PERPLEXITY, STEPS = 30.0, 500
SMOOTHED = 0.03
"""Of a curve's length, what one point of its smooth line is the mean of."""
_HUES = ("federated", "baseline", "centralized", "fifth", "fourth", "mixed", "floor")
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Line:
    """Values at places, with a band where they were drawn more than once."""

    at: Floats
    mean: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, at: ArrayLike, draws: ArrayLike) -> "Line":
        """From draws [repeats, places]: their mean, and a band from the lowest to the highest."""
        values = np.atleast_2d(np.asarray(draws, dtype=np.float64))
        return cls(np.asarray(at, dtype=np.float64), values.mean(axis=0), values.min(axis=0), values.max(axis=0))

    @classmethod
    def joined(cls, parts: Sequence["Line"]) -> "Line":
        """One after another."""
        return cls(*(np.concatenate([getattr(one, name) for one in parts]) for name in ("at", "mean", "low", "high")))


@dataclass(frozen=True, slots=True)
class Bar:
    """What one way of filling up scores: the mean over classes with its interval, and the recall of the rare class."""

    uar: float
    low: float
    high: float
    recall: float


def losses(networks: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike]]], *, name: str = "losses") -> Drawing:
    """A panel a network, a line a split (such as training and held out): steps and values, raw and smoothed."""
    splits = list(dict.fromkeys(split for lines in networks.values() for split in lines))
    rows = -(-len(networks) // 2)
    with canvas(PANEL * rows + 40, width=WIDTH) as figure:
        cells, told = _cells(figure, len(networks)), []
        for cell, (network, lines) in zip(cells, networks.items(), strict=False):
            for split, (steps, values) in lines.items():
                heights = np.asarray(values, dtype=np.float64)
                colour = _hue(splits.index(split))
                cell.plot(steps, heights, color=colour, linewidth=0.6, alpha=0.3)
                cell.plot(steps, _smooth(heights), color=colour, linewidth=1.5, label=split)
                told.append(f"{network}, {split}: from {measure(float(heights[0]))} to {measure(float(heights[-1]))}")
            cell.set_title(network)
            cell.grid(axis="y")
        for cell in cells[max(len(networks) - 2, 0) : len(networks)]:
            cell.set_xlabel("step")
        _legend(figure, cells)
        return finish(figure, name, f"Losses by step, a panel a network. {'; '.join(told)}.")


def maps(
    spaces: Mapping[str, tuple[Labelled, Labelled]], emotions: Sequence[str], *, seed: int, name: str = "maps"
) -> Drawing:
    """t-SNE of real (dark) and synthetic (light) vectors, both laid flat together; a panel a space."""
    with canvas(SQUARE * -(-len(spaces) // 2) + 62, width=WIDTH) as figure:
        cells, settings = _cells(figure, len(spaces)), []
        for cell, (space, (real, synthetic)) in zip(cells, spaces.items(), strict=False):
            real, synthetic = _some(real, seed), _some(synthetic, seed)
            places, perplexity = _laid_flat(np.vstack([real.values, synthetic.values]), seed)
            _scatter(cell, Labelled(places[len(real) :], synthetic.labels), emotions, real=False)
            _scatter(cell, Labelled(places[: len(real)], real.labels), emotions, real=True)
            cell.set_title(space)
            cell.set_xticks([])
            cell.set_yticks([])
            cell.set_xlabel(f"real {len(real)}, synthetic {len(synthetic)}", fontsize=8)
            settings.append(f"{perplexity:g}")
        _emotion_legend(figure, emotions)
        used = f"perplexity {', '.join(dict.fromkeys(settings))}; seed {seed}"
        figure.supxlabel(f"t-SNE, {used}; real dark, synthetic light", fontsize=8, color=LIGHT["soft"])
        alt = (
            f"t-SNE maps ({used}) of {', '.join(spaces)}: real vectors dark, synthetic ones light, coloured by emotion."
        )
        return finish(figure, name, alt)


def histogram(real: ArrayLike, synthetic: Mapping[str, ArrayLike], feature: tuple[int, str], *, seed: int) -> Drawing:
    """One feature, by its number and name: bins by Freedman and Diaconis' rule on the real, a line a synthesizer."""
    (number, title), values = feature, np.asarray(real, dtype=np.float64)
    edges = _reaching(np.histogram_bin_edges(values, bins="fd"))
    with canvas(PANEL + 92, width=WIDTH) as figure:
        axes, told = figure.subplots(), []
        shares, _ = np.histogram(values, edges)
        axes.stairs(shares / len(values), edges, fill=True, color=LIGHT["real"], alpha=0.35, label="real")
        for place, (name, made) in enumerate(synthetic.items()):
            column = np.asarray(made, dtype=np.float64)
            inside, _ = np.histogram(column, edges)
            axes.stairs(inside / len(column), edges, color=_hue(place), linewidth=1.5, label=name)
            told.append(f"{name}: {percent(1 - inside.sum() / len(column))} beyond what is shown")
        axes.set_title(title)
        axes.set_xlabel(f"normalised value; feature {number} drawn with seed {seed}", fontsize=8)
        axes.set_ylabel("share of vectors")
        axes.grid(axis="y")
        _legend(figure, [axes])
        alt = f"Histogram of the feature {title} of real vectors and of samples. {'; '.join(told)}."
        return finish(figure, "histogram", alt)


def against(
    panels: Mapping[str, Mapping[str, Line]], across: str, real: Mapping[str, float], *, name: str = "against"
) -> Drawing:
    """UAR by how much is added or how much is real, with bands: a panel a method, a line a recognizer.

    Args:
        panels: title to the lines.
        across: what the horizontal axis counts.
        real: of each recognizer, its score on all of the real speech alone, as a dashed line.
        name: among the files.
    """
    names = list(dict.fromkeys(line for lines in panels.values() for line in lines))
    with canvas(PANEL * -(-len(panels) // 2) + 56, width=WIDTH) as figure:
        cells, told = _cells(figure, len(panels), share=True), []
        for cell, (title, lines) in zip(cells, panels.items(), strict=False):
            for one, line in lines.items():
                colour, marker = _hue(names.index(one)), MARKERS[names.index(one) % len(MARKERS)]
                if one in real:
                    cell.axhline(real[one], color=colour, linewidth=0.9, linestyle=(0, (4, 3)))
                cell.fill_between(line.at, line.low, line.high, color=colour, alpha=0.22, linewidth=0)
                cell.plot(line.at, line.mean, marker=marker, color=colour, markersize=3.2, linewidth=1.4, label=one)
                told.append(f"{title}, {one}: from {score(float(line.mean[0]))} to {score(float(line.mean[-1]))}")
            cell.set_title(title)
            cell.grid(axis="y")
        for cell in cells[max(len(panels) - 2, 0) : len(panels)]:
            cell.set_xlabel(across)
        for cell in cells[::2]:
            cell.set_ylabel("UAR")
        _legend(figure, cells)
        alt = f"UAR against {across}; bands are the draws, dashed is real speech alone. {'; '.join(told)}."
        return finish(figure, name, alt)


def codes(panels: Mapping[str, Labelled], emotions: Sequence[str], *, name: str = "codes") -> Drawing:
    """Two-dimensional codes, such as those of training, of speech held out, and of samples; all on the same axes."""
    for title, points in panels.items():
        if points.values.shape[1] != 2:
            raise UserError(f"codes of {points.values.shape[1]} numbers cannot be drawn on a plane", where=title)
    with canvas(SQUARE * -(-len(panels) // 2) + 44, width=WIDTH) as figure:
        cells = _cells(figure, len(panels), share=True)
        for cell, (title, points) in zip(cells, panels.items(), strict=False):
            _scatter(cell, points, emotions, real=True)
            cell.set_title(f"{title} ({len(points)})")
            cell.set_aspect("equal")
            cell.grid()
        _emotion_legend(figure, emotions)
        alt = f"Two-dimensional codes of {', '.join(panels)}, coloured by emotion."
        return finish(figure, name, alt)


def imbalance(removed: Mapping[str, Mapping[str, Bar]]) -> Drawing:
    """A panel an emotion that was made rare: UAR of each way of filling up as a bar, its own recall as a point."""
    arms = list(dict.fromkeys(arm for bars in removed.values() for arm in bars))
    with canvas((19 * len(arms) + 34) * len(removed) + 30, width=WIDTH) as figure:
        cells = figure.subplots(len(removed), 1, squeeze=False, sharex=True).ravel()
        told = []
        for cell, (emotion, bars) in zip(cells, removed.items(), strict=True):
            for arm, bar in bars.items():
                place, colour = arms.index(arm), LIGHT["floor"] if arm == arms[0] else LIGHT["federated"]
                cell.barh(place, bar.uar, height=0.6, color=colour, alpha=0.38, linewidth=0)
                cell.plot([bar.low, bar.high], [place] * 2, "|-", color=LIGHT["ink"], linewidth=1.1, markersize=5)
                cell.plot(bar.recall, place, "D", color=LIGHT["baseline"], markersize=4.5)
                told.append(f"{emotion}, {arm}: UAR {score(bar.uar)}, recall {score(bar.recall)}")
            cell.set_yticks(range(len(arms)), arms, color=LIGHT["ink"])
            cell.set_ylim(len(arms) - 0.5, -0.5)
            cell.tick_params(axis="y", length=0)
            cell.set_title(f"{emotion} made rare")
            cell.set_xlim(0, 1)
            cell.grid(axis="x")
            cell.spines["left"].set_visible(False)
        cells[-1].set_xlabel(
            "bars: UAR with 95 % interval; points: recall of the rare emotion", fontsize=8, loc="right"
        )
        return finish(figure, "imbalance", f"Scores with one emotion made rare. {'; '.join(told)}.")


def _cells(figure: Any, count: int, *, share: bool = False) -> list[Any]:
    """Two panels a row; a single one is as wide as the figure."""
    columns = min(2, count)
    rows = -(-count // columns)
    cells = figure.subplots(rows, columns, squeeze=False, sharex=share, sharey=share).ravel()
    for cell in cells[count:]:
        cell.set_axis_off()
    for cell in cells:
        cell.tick_params(length=0, labelbottom=True)
    return list(cells)


def _legend(figure: Any, cells: Sequence[Any]) -> None:
    """Each name once, whichever panel has it."""
    named: dict[str, Any] = {}
    for cell in cells:
        handles, names = cell.get_legend_handles_labels()
        named |= dict(zip(names, handles, strict=True))
    figure.legend(named.values(), named.keys(), loc="outside upper left", ncols=columns_of(named), columnspacing=1.0)


def columns_of(names: Iterable[str]) -> int:
    """How many columns of a legend fit a phone, where letters are largest beside the figure: four at most."""
    lengths = [len(name) for name in names]
    return max(1, min(len(lengths), 4, int(NARROW // (LINE_AND_GAP + LETTER * max(lengths)))))


def _emotion_legend(figure: Any, emotions: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], linestyle="", marker=MARKERS[number % len(MARKERS)], color=of_emotion(emotion, emotions))
        for number, emotion in enumerate(emotions)
    ]
    columns = min(4, len(emotions))
    figure.legend(
        marks, emotions, loc="outside upper left", ncols=columns, handletextpad=0.1, columnspacing=1.0, markerscale=0.8
    )


def _scatter(cell: Any, points: Labelled, emotions: Sequence[str], *, real: bool) -> None:
    """Real ones dark and above; synthetic ones light, in the same colours and forms."""
    for number, emotion in enumerate(emotions):
        of_it, colour = points.values[points.labels == number], of_emotion(emotion, emotions)
        form = MARKERS[number % len(MARKERS)]
        cell.plot(
            *of_it.T,
            form,
            color=colour,
            markersize=3.4 if real else 4.2,
            alpha=0.95 if real else 0.25,
            markeredgewidth=0,
        )


def _hue(number: int) -> str:
    return LIGHT[_HUES[number % len(_HUES)]]


def _smooth(values: Floats) -> Floats:
    """Means over a window that is cut at both ends, so that the line neither lags nor sags."""
    half = int(len(values) * SMOOTHED / 2)
    sums = np.concatenate(([0.0], np.cumsum(values)))
    places = np.arange(len(values))
    last, first = np.minimum(places + half + 1, len(values)), np.maximum(places - half, 0)
    return np.asarray((sums[last] - sums[first]) / (last - first))


def _reaching(edges: Floats) -> Floats:
    """Bins of the same width on both sides, by half of the range each: samples may reach farther than real vectors."""
    width = edges[1] - edges[0]
    further = -(-len(edges) // 2)
    steps = np.arange(1, further + 1) * width
    return np.concatenate([edges[0] - steps[::-1], edges, edges[-1] + steps])


def _some(points: Labelled, seed: int) -> Labelled:
    return points[np.sort(numpy_stream(seed, "map").permutation(len(points))[:EACH])]


def _laid_flat(vectors: Floats, seed: int) -> tuple[Floats, float]:
    """Places, and the perplexity that so few vectors allow."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = min(PERPLEXITY, (len(vectors) - 1) // 3)
    state = derive_seed(seed, "map") % 2**32
    flat = TSNE(init="pca", perplexity=perplexity, max_iter=STEPS, random_state=state, n_jobs=1)
    with threadpool_limits(1):  # its threads wait for each other at each of its steps, on a busy machine most of all
        return np.asarray(flat.fit_transform(vectors), dtype=np.float64), perplexity
