"""A table before it has a look: headings, rows of cells, and a caption.

Owns their shape. Must not know what stands in them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """A value, and what qualifies it in small type."""

    value: str
    note: str = ""
    wide: bool = False
    """Words that may wrap, set flush left."""


@dataclass(frozen=True)
class Table:
    """Headings and rows; the first cell of a row is its name."""

    caption: str
    headings: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
