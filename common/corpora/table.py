"""Anybody's own recordings: a CSV, TSV or Parquet file with the columns path, emotion and session, and others.

Owns this layout. Paths are relative to the table's folder. Without a speaker column a session's speech is taken
for one speaker's, so that folds by session stay speaker-disjoint as far as anybody can tell. Where others have one, a
row without a speaker is a bad one: it would count as one person more. A row with a start or an end, in seconds, is that
part of its file.
"""

from collections.abc import Iterator
from pathlib import Path

from common.corpora.labels import COMMON
from common.corpora.layout import Clip, Finding, Layout
from common.corpora.manifest import BadFile
from common.corpora.rows import KNOWN, NEEDED, Table, clip_of, read_table
from common.errors import UserError


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
    path = table_at(root)
    table = _table(path)
    named = _names_speakers(table)
    for number, row in enumerate(table.rows, start=1):
        found = clip_of(row, place := f"{path.name} row {number}")
        nameless = named and not row["speaker"] and isinstance(found, Clip)
        yield BadFile(found.path, f"no speaker in {place}") if nameless else found


def _names_speakers(table: Table) -> bool:
    return any(row.get("speaker") for row in table.rows)


def _table(path: Path) -> Table:
    table = read_table(path)
    if missing := [column for column in NEEDED if column not in table.columns]:
        there = ", ".join(table.columns) or "none"
        what = f"the table has no column {' and no column '.join(missing)}"
        raise UserError(what, where=path, remedy=f"its columns are: {there}")
    return table


def _notes(root: Path) -> Iterator[str]:
    """What a reader would not think of."""
    path = table_at(root)
    table = _table(path)
    columns = table.columns
    if strange := [column for column in columns if column not in KNOWN]:
        yield f"columns of {path.name} that are not read: {', '.join(strange)}"
    if not _names_speakers(table):
        yield f"{path.name} has no column speaker: each session counts as one speaker, on whom intervals rest"


LAYOUT = Layout(
    name="table",
    title="a table of recordings",
    example="a CSV, TSV or Parquet file with the columns path, emotion, session (and speaker, sex, start, end, split)",
    markers=("*.csv", "*.tsv", "*.parquet"),
    emotions=COMMON,
    find=_find,
    free_labels=True,
    notes=_notes,
)
