"""audformat databases: `db.yaml` and a table a file, `db.emotion.csv` or `.parquet`, as audEERING's audb delivers them.

Owns this layout. A table with a column `emotion` labels files, or parts of them; speaker, session and sex are columns
of any table with the same files, and sex may stand in the scheme of speakers. Tables of a split say which part it is.
Pickled tables are never opened.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from common.corpora.labels import COMMON
from common.corpora.layout import Finding, Layout
from common.corpora.manifest import BadFile
from common.corpora.rows import Row, clip_of, read_table
from common.errors import UserError

HEADER = "db.yaml"
_COLUMNS = {"emotion": ("emotion",), "speaker": ("speaker",), "session": ("session",), "sex": ("gender", "sex")}
"""What is read, and the names of its columns."""
_SUFFIXES = (".parquet", ".csv")

Place = tuple[str, str, str]
"""A file, and the start and end of a part of it, as tables write them."""


@dataclass(frozen=True)
class Database:
    """The header and the tables below a folder."""

    root: Path
    header: Mapping[str, Any]

    @cached_property
    def values(self) -> dict[str, dict[Place, set[str]]]:
        """What any table says of each place, by what is read."""
        found: dict[str, dict[Place, set[str]]] = {name: defaultdict(set) for name in (*_COLUMNS, "split")}
        for table, about in self._section("tables").items():
            names = {column: what for what, columns in _COLUMNS.items() for column in columns}
            wanted = {column: names[column] for column in about.get("columns") or {} if column in names}
            if not wanted:
                continue
            split = self._split(about)
            for row in self._rows(table):
                place = (row.get("file", ""), row.get("start", ""), row.get("end", ""))
                for column, what in wanted.items():
                    if value := row.get(column, ""):
                        found[what][place].add(value)
                if split and "emotion" in wanted:
                    found["split"][place].add(split)
        return found

    def one(self, what: str, place: Place) -> set[str]:
        """What is said of a part, or else of its whole file."""
        said = self.values[what]
        return said.get(place) or said.get((place[0], "", "")) or set()

    @cached_property
    def sexes(self) -> dict[str, str]:
        """By speaker, from the scheme of speakers or the table that it names."""
        labels = self._section("schemes").get("speaker", {}).get("labels")
        if isinstance(labels, str):
            return {row.get("speaker", ""): _sex(row) for row in self._rows(labels)}
        if isinstance(labels, Mapping):
            return {str(name): _sex(about) for name, about in labels.items() if isinstance(about, Mapping)}
        return {}

    def _section(self, name: str) -> Mapping[str, Any]:
        section = self.header.get(name) or {}
        if not isinstance(section, Mapping):
            raise UserError(f"no audformat header: {name} is no list of names", where=self.root / HEADER)
        return {key: value if isinstance(value, Mapping) else {} for key, value in section.items()}

    def _split(self, about: Mapping[str, Any]) -> str:
        kind = self._section("splits").get(about.get("split_id", ""), {}).get("type", "")
        return kind if kind in ("train", "dev", "test") else ""

    def _rows(self, table: str) -> Iterable[Row]:
        for suffix in _SUFFIXES:
            if (path := self.root / f"db.{table}{suffix}").is_file():
                return read_table(path).rows
        remedy = "save it as CSV or Parquet: audformat.Database.save(folder, storage_format='csv')"
        raise UserError(f"no table db.{table}.csv or .parquet", where=self.root, remedy=remedy)


def _sex(about: Mapping[str, Any]) -> str:
    value = about.get("gender") or about.get("sex") or ""
    return value if value in ("female", "male") else ""


def open_database(root: Path) -> Database:
    """The database of a folder; a header that cannot be read is one error."""
    path = root / HEADER
    try:
        header = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError("cannot read the header", where=path, remedy=" ".join(str(error).split())) from None
    if not isinstance(header, Mapping):
        raise UserError("no audformat header: it holds no names", where=path)
    return Database(root, header)


def _find(root: Path) -> Iterator[Finding]:
    database = open_database(root)
    places = database.values["emotion"]
    if not places:
        remedy = "give one a column emotion: audformat databases name it so by convention"
        raise UserError("no table of the database has emotions", where=root / HEADER, remedy=remedy)
    for place in sorted(places):
        yield _clip(database, place)


def _clip(database: Database, place: Place) -> Finding:
    file, start, end = place
    row = {"path": file, "start": start, "end": end}
    for what in (*_COLUMNS, "split"):
        said = database.one(what, place)
        if len(said) > 1:
            return BadFile(file or HEADER, f"its tables disagree on {what}: {' and '.join(sorted(said))}")
        row[what] = next(iter(said), "")
    if row["sex"] not in ("female", "male"):
        row["sex"] = database.sexes.get(row["speaker"], "")
    row["session"] = row["session"] or row["speaker"]
    return clip_of(row, f"the tables of {HEADER}")


def _notes(root: Path) -> Iterator[str]:
    """What the header says of the database."""
    database = open_database(root)
    header = database.header
    licence = f", licence {header['license']}" if header.get("license") else ""
    yield f"audformat database {header.get('name', 'without a name')}{licence}"
    if not database.values["session"]:
        yield "no table has a column session: each speaker is one"


LAYOUT = Layout(
    name="audformat",
    title="an audformat database",
    example="db.yaml and a table a file, such as db.emotion.csv",
    markers=(HEADER,),
    emotions=COMMON,
    find=_find,
    free_labels=True,
    notes=_notes,
)
