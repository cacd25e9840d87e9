"""Anybody's own recordings: a CSV or Parquet file with the columns path, emotion and session, and others.

Owns this layout. Paths are relative to the table's folder. Without a speaker column a session's speech is taken
for one speaker's, so that folds by session stay speaker-disjoint as far as anybody can tell. A row with a start or an
end, in seconds, is that part of its file. Commas, semicolons and tabs part columns; what is not UTF-8 is read as
Windows-1252, as spreadsheets write it.
"""

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.corpora.layout import Clip, Finding, Layout, sex_of, split_of
from common.corpora.manifest import BadFile
from common.corpora.parts import part_of
from common.errors import UserError
from common.settings import EMOTIONS

if TYPE_CHECKING:
    from pyarrow import ChunkedArray

_REQUIRED = ("path", "emotion", "session")
_KNOWN = (*_REQUIRED, "speaker", "sex", "start", "end", "split")


def table_at(root: Path) -> Path:
    """The table that a root names: the file itself, or the only one in the folder."""
    if root.is_file():
        return root
    tables = sorted(path for marker in LAYOUT.markers for path in root.glob(marker) if path.name[0] != ".")
    if len(tables) == 1:
        return tables[0]
    names = ", ".join(table.name for table in tables)
    raise UserError(
        "more than one table in the folder",
        where=root,
        remedy=f"name one of {names} with --root, or as root in a site's file",
    )


def _find(root: Path) -> Iterator[Finding]:
    table = table_at(root)
    for number, row in enumerate(_rows(table), start=1):
        yield _clip(row, f"{table.name} row {number}")


def _clip(row: dict[str, str], place: str) -> Finding:
    for column in _REQUIRED:
        if not row[column]:
            return BadFile(row["path"] or place, f"no {column} in {place}")
    path = Path(os.path.normpath(row["path"])).as_posix()
    sex = sex_of(row.get("sex", ""))
    if sex is None and row.get("sex"):
        return BadFile(path, f"unknown sex {row['sex']!r} in {place}; write female, male or nothing")
    try:
        part, split = part_of(row.get("start", ""), row.get("end", "")), split_of(row.get("split", ""))
    except ValueError as error:
        return BadFile(path, f"{error} in {place}")
    speaker = row.get("speaker") or row["session"]
    return Clip(path, speaker, row["session"], row["emotion"].lower(), sex, part, split)


def _rows(table: Path) -> list[dict[str, str]]:
    """All rows as text, by lower-case column name."""
    try:
        columns, rows = _read_parquet(table) if table.suffix == ".parquet" else _read_csv(table)
    except (csv.Error, ValueError, OSError) as error:
        remedy = str(error).splitlines()[0]
        raise UserError("cannot read the table", where=table, remedy=remedy) from None
    columns = [column.strip().lower() for column in columns]
    if missing := [column for column in _REQUIRED if column not in columns]:
        there = ", ".join(columns) or "none"
        what = f"the table has no column {' and no column '.join(missing)}"
        raise UserError(what, where=table, remedy=f"its columns are: {there}")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _read_csv(table: Path) -> tuple[list[str], list[list[str]]]:
    text = _decoded(table.read_bytes())
    heading = text.partition("\n")[0]
    separator = max(",;\t", key=heading.count)
    columns, *rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)) or [[]]
    width = len(columns)
    rows = [row for row in rows if any(row)]
    return columns, [[cell.strip() for cell in (row + [""] * width)[:width]] for row in rows]


def _decoded(content: bytes) -> str:
    try:  # utf-8-sig: spreadsheets put a byte-order mark before the first column's name
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def _notes(root: Path) -> Iterator[str]:
    """What a reader would not think of."""
    table = table_at(root)
    columns = list(_rows(table)[0])
    if strange := [column for column in columns if column not in _KNOWN]:
        yield f"columns of {table.name} that are not read: {', '.join(strange)}"
    if "speaker" not in columns:
        yield f"{table.name} has no column speaker: each session counts as one speaker, on whom intervals rest"


def _read_parquet(table: Path) -> tuple[list[str], list[list[str]]]:
    from pyarrow import parquet  # slow to import, and most tables are text

    content = parquet.read_table(table)
    cells = [["" if cell is None else str(cell).strip() for cell in _plain(column)] for column in content.columns]
    return content.column_names, [list(row) for row in zip(*cells, strict=True)]


def _plain(column: "ChunkedArray") -> list[Any]:
    """A column as Python's own values; times of more digits than Python's are cut to microseconds."""
    from pyarrow import duration, types

    is_time = types.is_duration(column.type)
    values: list[Any] = (column.cast(duration("us"), safe=False) if is_time else column).to_pylist()
    return values


LAYOUT = Layout(
    name="table",
    title="a table of recordings",
    example="recordings.csv with the columns path, emotion, session (and speaker, sex, start, end, split)",
    markers=("*.csv", "*.parquet"),
    emotions=(
        *EMOTIONS,
        "calm",
        "fearful",
        "disgusted",
        "surprised",
        "bored",
        "frustrated",
        "excited",
        "other",
    ),
    find=_find,
    free_labels=True,
    notes=_notes,
)
