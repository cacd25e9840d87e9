"""Hugging Face audio folders: `metadata.csv`, `.jsonl` or `.parquet` beside the files, or in a folder a split.

Owns this layout. Columns have the names that data sets on the hub give them: `file_name`, `emotion` or `label`,
`speaker` or `speaker_id`, `gender` or `sex`. Without a session each speaker is one.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from common.corpora.labels import COMMON
from common.corpora.layout import Finding, Layout, split_of
from common.corpora.rows import Row, Table, clip_of, read_table
from common.errors import UserError

_NAMES: Mapping[str, tuple[str, ...]] = {
    "path": ("file_name",),
    "emotion": ("emotion", "label"),
    "speaker": ("speaker", "speaker_id"),
    "session": ("session", "session_id"),
    "sex": ("sex", "gender"),
    "start": ("start",),
    "end": ("end",),
    "split": ("split",),
}
_FILES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
MARKERS = tuple(f"{folder}{name}" for folder in ("", "*/", "*/*/") for name in _FILES)


def _found(root: Path) -> list[Path]:
    return sorted({path for marker in MARKERS for path in root.glob(marker)})


def _find(root: Path) -> Iterator[Finding]:
    for path in _found(root):
        folder = path.parent.relative_to(root)
        split = _split_in(folder)
        table = _read(path)
        named = {what: names[0] for what in _NAMES if (names := [one for one in _NAMES[what] if one in table.columns])}
        if missing := [" or ".join(_NAMES[what]) for what in ("path", "emotion") if what not in named]:
            remedy = f"its columns are: {', '.join(table.columns)}"
            raise UserError(f"the metadata has no column {' and no column '.join(missing)}", where=path, remedy=remedy)
        if "speaker" not in named and "session" not in named:
            remedy = "add one: without it nobody can tell whether a speaker is trained on and tested"
            raise UserError("the metadata has no column speaker and no column session", where=path, remedy=remedy)
        for number, row in enumerate(table.rows, start=1):
            cells = {what: row[column] for what, column in named.items()}
            cells["session"] = cells.get("session") or cells.get("speaker", "")
            cells["split"] = cells.get("split") or split
            if cells["path"]:
                cells["path"] = (folder / cells["path"]).as_posix()
            yield clip_of(cells, f"{path.relative_to(root)} row {number}")


def _read(path: Path) -> Table:
    if path.suffix != ".jsonl":
        return read_table(path)
    try:
        items = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        rows: list[Row] = [{str(key).lower(): _text(value) for key, value in item.items()} for item in items]
    except (OSError, ValueError, AttributeError) as error:
        raise UserError("cannot read the metadata", where=path, remedy=str(error)) from None
    columns = tuple(dict.fromkeys(column for row in rows for column in row))
    return Table(columns, [{column: row.get(column, "") for column in columns} for row in rows])


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _split_in(folder: Path) -> str:
    for word in folder.parts:
        try:
            if found := split_of(word):
                return found
        except ValueError:  # a folder's name may be any
            continue
    return ""


def _notes(root: Path) -> Iterator[str]:
    known = {name for names in _NAMES.values() for name in names}
    for path in _found(root):
        strange = [column for column in _read(path).columns if column not in known]
        unread = f"; columns that are not read: {', '.join(strange)}" if strange else ""
        yield f"read {path.relative_to(root)}{unread}"


LAYOUT = Layout(
    name="audiofolder",
    title="a Hugging Face audio folder",
    example="metadata.csv or metadata.jsonl with the columns file_name, emotion and speaker, beside the files",
    markers=MARKERS,
    emotions=COMMON,
    find=_find,
    free_labels=True,
    notes=_notes,
)
