"""Patches as a picture that people can read.

Owns colours and layout: low frequencies at the bottom, time to the right, -1 dark and 1 bright. Must not know how
patches came to be.
"""

import io
from pathlib import Path

import torch
from torch import Tensor

from common.files import atomic_write

COLOURS = "magma"
GAP = 4


def grid(patches: Tensor, columns: int) -> Tensor:
    """Patches [n, 1, height, width] as one sheet, each with its lowest frequency in its last row."""
    patches = patches.detach().float().cpu().flip(2).squeeze(1)
    missing = -len(patches) % columns
    padded = torch.cat((patches, patches.new_full((missing, *patches.shape[1:]), torch.nan)))
    framed = torch.nn.functional.pad(padded, (0, GAP, 0, GAP), value=torch.nan)
    rows = [torch.cat(tuple(row), dim=1) for row in torch.split(framed, columns)]
    return torch.cat(rows)[:-GAP, :-GAP]


def save_picture(path: Path, patches: Tensor, columns: int) -> None:
    """A PNG of `grid`, white between patches."""
    # Drawing costs a second of start-up, which only a snapshot should pay.
    from matplotlib import colormaps
    from matplotlib.image import imsave

    colours = colormaps[COLOURS].with_extremes(bad="white")
    content = io.BytesIO()
    imsave(content, grid(patches, columns).numpy(), cmap=colours, vmin=-1, vmax=1, format="png")
    atomic_write(path, content.getvalue())
