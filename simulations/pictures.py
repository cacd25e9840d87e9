"""Spectrograms as a figure with axes, for people who want to see what a corpus sounds like.

Owns colours, ticks and layout. Must not know where the spectrograms come from.
"""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from common.files import atomic_write
from common.settings import FeatureConfig
from common.space import SAMPLE_RATE, SIDE
from common.training.pictures import COLOURS

if TYPE_CHECKING:
    from PIL.Image import Image

HERTZ = (250, 500, 1000, 2000, 4000, 7000)
SECONDS_SHOWN = 2.0
CELL_WIDTH, CELL_HEIGHT, DOTS_PER_INCH = 2.35, 1.5, 96
COLOURS_KEPT = 128


def draw_spectrograms(
    path: Path,
    rows: Mapping[str, Sequence[NDArray[np.floating]]],
    columns: Sequence[str],
    features: FeatureConfig,
    title: str,
) -> None:
    """A PNG with a row for each name and a column for each heading; log-mels are [mels, frames]; a row may be short."""
    # Drawing costs a second of start-up, which no other command should pay.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL.Image import fromarray

    size = (CELL_WIDTH * len(columns) + 1.4, CELL_HEIGHT * len(rows) + 0.9)
    figure = Figure(figsize=size, dpi=DOTS_PER_INCH, layout="constrained")
    cells = figure.subplots(len(rows), len(columns), sharex=True, sharey=True, squeeze=False)
    _fill(cells, rows, features)
    for heading, cell in zip(columns, cells[0], strict=True):
        cell.set_title(heading, fontsize=9)
    for cell in cells[-1]:
        cell.set_xlabel("time (s)", fontsize=8)
    figure.colorbar(cells[0, 0].images[0], ax=cells, label="log of mel power", shrink=0.6, pad=0.01)
    figure.suptitle(title, fontsize=11, wrap=True)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    atomic_write(path, compact(fromarray(np.asarray(canvas.buffer_rgba()))))


def compact(picture: "Image") -> bytes:
    """A picture as PNG with a palette: a quarter of the bytes, and nobody sees it."""
    from PIL.Image import Quantize

    content = io.BytesIO()
    picture.convert("RGB").quantize(COLOURS_KEPT, Quantize.FASTOCTREE).save(content, format="png", optimize=True)
    return content.getvalue()


def _fill(
    cells: NDArray[np.object_], rows: Mapping[str, Sequence[NDArray[np.floating]]], features: FeatureConfig
) -> None:
    """Every cell on the same scales, so that loud and soft, long and short can be compared."""
    values = np.concatenate([np.ravel(log_mel) for row in rows.values() for log_mel in row]).astype(np.float32)
    darkest, brightest = np.percentile(values, (5, 99.8))
    for (name, row), line in zip(rows.items(), cells, strict=True):
        line[0].set_ylabel("frequency (Hz)", fontsize=8)
        line[0].annotate(
            name,
            xy=(0, 0.5),
            xycoords="axes fraction",
            xytext=(-56, 0),
            textcoords="offset points",
            rotation=90,
            ha="center",
            va="center",
            fontweight="bold",
        )
        for cell in line[len(row) :]:
            cell.set_axis_off()
        for log_mel, cell in zip(row, line, strict=False):
            seconds = log_mel.shape[1] * features.hop / SAMPLE_RATE
            cell.imshow(
                log_mel,
                origin="lower",
                aspect="auto",
                cmap=COLOURS,
                vmin=darkest,
                vmax=brightest,
                extent=(0, seconds, -0.5, SIDE - 0.5),
            )
            cell.set_facecolor("black")
            cell.set_xlim(0, SECONDS_SHOWN)
            cell.set_yticks(bands_at(HERTZ), [f"{hertz:,}" for hertz in HERTZ], fontsize=7)
            cell.tick_params(axis="x", labelsize=7)


def bands_at(hertz: Sequence[float]) -> NDArray[np.floating]:
    """Where frequencies lie among the mel bands."""
    from librosa import mel_frequencies

    corners = mel_frequencies(SIDE + 2, fmax=SAMPLE_RATE / 2)
    return np.interp(hertz, corners[1:-1], np.arange(SIDE))
