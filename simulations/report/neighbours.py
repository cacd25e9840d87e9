"""The figure of real and synthetic speech in the pre-trained encoder's space, laid flat by t-SNE.

Owns the laying flat. Must not know networks: vectors come from the evidence.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.seeds import derive_seed
from simulations.comparison.modes import REAL
from simulations.report.drawing import WIDTH, Drawing, canvas, finish
from simulations.report.evidence import Evidence, Floats
from simulations.report.palette import LIGHT, MARKERS, of_emotion
from simulations.report.wording import many

EACH = 80
"""Vectors a mode at the most: more take seconds longer and show no more."""
PERPLEXITY, STEPS = 30, 500
PANEL = 150.0


def neighbours(evidence: Evidence) -> Drawing | None:
    """A panel a mode: its samples by emotion above the real ones in grey, all in one map."""
    names = list(evidence.embeddings)
    if REAL not in names or len(names) < 2:
        return None
    vectors = {name: evidence.embeddings[name][0][:EACH] for name in names}
    places = _laid_flat(np.concatenate(list(vectors.values())), evidence.seed)
    cuts = np.cumsum([len(vectors[name]) for name in names])[:-1]
    by_mode = dict(zip(names, np.split(places, cuts), strict=True))
    columns = 3 if len(names) > 4 else 2
    lines = -(-len(names) // columns)
    with canvas(PANEL * lines * (1 if columns == 3 else 1.35) + 30, width=WIDTH) as figure:
        grid = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True).ravel()
        for cell, name in zip(grid, names, strict=False):
            if name != REAL:
                cell.plot(*by_mode[REAL].T, ".", color=LIGHT["floor"], markersize=3, alpha=0.5)
            labels = evidence.embeddings[name][1][:EACH]
            _points(cell, by_mode[name], labels, evidence.labels)
            cell.set_title(name)
            cell.set_xticks([])
            cell.set_yticks([])
        for cell in grid[len(names) :]:
            cell.set_axis_off()
        handles, titles = grid[0].get_legend_handles_labels()
        figure.legend(handles, titles, loc="outside upper left", ncols=len(titles), handletextpad=0.1)
        alt = (
            f"t-SNE map of {', '.join(names)}: {many(min(map(len, vectors.values())), 'vector')} each, a panel "
            "for each, real speech in grey beneath the samples."
        )
        return finish(figure, "neighbours", alt)


def _points(cell: Any, places: Floats, labels: NDArray[np.int64], emotions: Sequence[str]) -> None:
    for number, emotion in enumerate(emotions):
        of_it = places[labels == number]
        marker = MARKERS[number % len(MARKERS)]
        colour = of_emotion(emotion, emotions)
        cell.plot(*of_it.T, marker, color=colour, markersize=3.4, alpha=0.8, markeredgewidth=0, label=emotion)


def _laid_flat(vectors: Floats, seed: int) -> Floats:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    state = derive_seed(seed, "neighbours") % 2**32
    flat = TSNE(init="pca", perplexity=perplexity, max_iter=STEPS, random_state=state, n_jobs=1)
    with threadpool_limits(1):  # its threads wait for each other at each of its steps, on a busy machine most of all
        return np.asarray(flat.fit_transform(vectors))
