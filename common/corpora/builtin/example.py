"""A few recordings of the built-in corpus as a person would have their own: a folder, and a table of who says what how.

Owns the table and when a folder is left alone. Must not know how a voice or an emotion works.
"""

from pathlib import Path

from common.corpora.builtin import acting
from common.corpora.builtin.making import Recipe, plans, record
from common.corpora.reading import Progress
from common.errors import UserError
from common.files import atomic_write, refuse_strangers

TABLE = "recordings.csv"
RECIPE = Recipe(utterances_per_cell=2)


def write_example(folder: Path, progress: Progress | None = None) -> Path:
    """Eighty recordings of five sessions, and last the table that names them; where all of it is there, nothing."""
    table = folder / TABLE
    content = _table().encode()
    if table.is_file() and table.read_bytes() == content:
        return table
    refuse_strangers(folder, acting.SESSIONS)
    try:
        for _ in record(RECIPE, folder, progress):
            pass
    except OSError as error:
        raise UserError("cannot write the recordings", where=folder, remedy=error.strerror) from None
    atomic_write(table, content)
    return table


def _table() -> str:
    rows = [f"{plan.path},{plan.emotion},{plan.actor.session},{plan.actor.name}" for plan in plans(RECIPE)]
    return "\n".join(["path,emotion,session,speaker", *rows, ""])
