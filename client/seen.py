"""What was last written to a ledger, noted apart from it, so that a ledger that lost its end is known at once.

Owns the note, one small file beside the ledger. Must not know what a ledger's entries say.

The note is written after the entry: a kill between the two leaves a ledger that is ahead of it, which is no alarm.
"""

import os
from pathlib import Path

from pydantic import Field

from common.config.tree import Section
from common.errors import UserError
from common.files import atomic_write, open_own

LONGEST = 1024
PRIVATE = 0o600


class LostError(UserError):
    """A ledger does not hold what was last written to it; `what` tells how that was seen."""

    def __init__(self, what: str, ledger: Path) -> None:
        self.what = what
        remedy = f"{what}; find out why, then say `eyesoff ledger accept {ledger}` and start the keeper again"
        super().__init__("the ledger does not hold what was last written to it", where=ledger, remedy=remedy)


class Seen(Section):
    """The last entry that was written."""

    number: int = Field(ge=0)
    head: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0, description="bytes of the ledger up to this entry's end")


def note_of(ledger: Path) -> Path:
    """Where a ledger's note lies."""
    return ledger.with_name(f"{ledger.name}.seen")


def write_seen(ledger: Path, seen: Seen) -> None:
    """Note the entry, in place of the one before it."""
    atomic_write(note_of(ledger), seen.model_dump_json().encode() + b"\n", mode=PRIVATE)


def read_seen(ledger: Path) -> Seen | None:
    """What was noted; None where nothing ever was."""
    path = note_of(ledger)
    if not os.path.lexists(path):
        return None
    try:
        with os.fdopen(open_own(path), "rb") as stream:
            return Seen.model_validate_json(stream.read(LONGEST))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is damaged"
        raise LostError(f"the note of that, {path}, cannot be read ({why})", ledger) from None
