"""Notebooks: pages of Markdown whose Python blocks are cells.

Owns how a page becomes a notebook file without outputs. Must not know what a cell does.
"""

import json
import re
from pathlib import Path
from typing import Any

from common.files import atomic_write

DOWNLOAD = re.compile(r"^\{download\}.*\n?", re.MULTILINE)
CELL = re.compile(r"^```python\n(.*?)^```$\n?", re.DOTALL | re.MULTILINE)


def cells_of(page: str) -> list[tuple[str, str]]:
    r"""Kind and content of each cell, in their order.

    >>> cells_of("Say it.\n\n```python\nprint(1)\n```\n")
    [('markdown', 'Say it.'), ('code', 'print(1)')]
    """
    kinds = ("markdown", "code")
    parts = [(kinds[number % 2], part.strip("\n")) for number, part in enumerate(CELL.split(page))]
    return [(kind, content) for kind, content in parts if content]


def as_notebook(page: str) -> bytes:
    """The file that Jupyter opens; links of the page lead nowhere from there, so their words stay."""
    cells: list[dict[str, Any]] = []
    for number, (kind, content) in enumerate(cells_of(DOWNLOAD.sub("", page))):
        told = content if kind == "code" else re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", content)
        cell = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": told.splitlines(keepends=True)}
        cells.append(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode()


def write(folder: Path) -> None:
    """Beside each page of a folder its notebook, where it changed."""
    for page in sorted(folder.glob("*.md")):
        path, data = page.with_suffix(".ipynb"), as_notebook(page.read_text("utf-8"))
        if not path.exists() or path.read_bytes() != data:
            atomic_write(path, data)
