"""Tables as rows of text, and such a row as a recording.

Owns how CSV and Parquet files are read, whoever wrote them, and what the cells of a row mean. Must not know which
files belong to a corpus.

Commas, semicolons and tabs part columns. Spreadsheets write UTF-8, UTF-16 with a mark before the first character,
or Windows-1252: what is none of the first two is read as the last.
"""

import csv
import io
import os
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.corpora.labels import plain
from common.corpora.layout import Clip, Finding, sex_of, split_of
from common.corpora.manifest import BadFile
from common.corpora.parts import part_of
from common.errors import UserError

if TYPE_CHECKING:
    from pyarrow import ChunkedArray

NEEDED = ("path", "emotion", "session")
KNOWN = (*NEEDED, "speaker", "sex", "start", "end", "split")
Row = Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """All rows of a file as text, by lower-case column name."""

    columns: tuple[str, ...]
    rows: Sequence[Row]


def read_table(path: Path) -> Table:
    """A CSV or Parquet file; one that cannot be read is one error."""
    try:
        columns, rows = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    except (csv.Error, ValueError, OSError) as error:
        remedy = str(error).splitlines()[0]
        raise UserError("cannot read the table", where=path, remedy=remedy) from None
    columns = [column.strip().lower() for column in columns]
    return Table(tuple(columns), [dict(zip(columns, row, strict=True)) for row in rows])


def clip_of(row: Row, place: str) -> Finding:
    """The recording, or the part of one, that a row with the known columns describes; `place` says where it stands."""
    for column in NEEDED:
        if not row.get(column):
            return BadFile(row.get("path") or place, f"no {column} in {place}")
    path = Path(os.path.normpath(row["path"])).as_posix()
    sex = sex_of(row.get("sex", ""))
    if sex is None and row.get("sex"):
        return BadFile(path, f"unknown sex {row['sex']!r} in {place}; write female, male or nothing")
    try:
        part, split = part_of(row.get("start", ""), row.get("end", "")), split_of(row.get("split", ""))
    except ValueError as error:
        return BadFile(path, f"{error} in {place}")
    speaker = row.get("speaker") or row["session"]
    return Clip(path, speaker, row["session"], plain(row["emotion"]), sex, part, split)


def _read_csv(table: Path) -> tuple[list[str], list[list[str]]]:
    text = _decoded(table.read_bytes())
    heading = text.partition("\n")[0]
    separator = max(",;\t", key=heading.count)
    columns, *rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)) or [[]]
    width = len(columns)
    rows = [row for row in rows if any(row)]
    return columns, [[cell.strip() for cell in (row + [""] * width)[:width]] for row in rows]


def _decoded(content: bytes) -> str:
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        text = content.decode("utf-16")
    else:
        try:  # utf-8-sig: spreadsheets put a byte-order mark before the first column's name
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252")
    if "\0" in text:
        raise ValueError("its encoding is not known here; save it as UTF-8")
    return text


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
