"""The site's own log: what went wrong in full, which nobody else is told.

Owns that file. Must not know what is logged.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from common.errors import UserError
from common.files import open_own

LOG = "keeper.log"
PRIVATE = 0o600
LARGEST = 32 * 2**20
"""Bytes of the log, after which it becomes the old one and another begins: nobody who asks can fill a disk with it."""
_FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _OwnFile(RotatingFileHandler):
    """A log that nobody else can read, and that no link leads elsewhere."""

    def _open(self) -> TextIOWrapper:
        descriptor = open_own(Path(self.baseFilename), os.O_APPEND)
        os.fchmod(descriptor, PRIVATE)
        return os.fdopen(descriptor, "a", encoding="utf-8")


@contextmanager
def journal(state: Path) -> Iterator[None]:
    """Write whatever the client's side logs to a file in the site's state folder while the block runs."""
    path = state / LOG
    try:
        state.mkdir(parents=True, exist_ok=True)
        handler = _OwnFile(path, maxBytes=LARGEST, backupCount=1)
    except OSError as error:
        raise UserError("cannot write the site's log", where=path, remedy=error.strerror) from None
    handler.setFormatter(logging.Formatter(_FORM))
    client = logging.getLogger("client")
    level = client.level
    client.addHandler(handler)
    client.setLevel(logging.INFO)
    try:
        yield
    except Exception:
        client.exception("the keeper ended")
        raise
    finally:
        client.setLevel(level)
        client.removeHandler(handler)
        handler.close()
