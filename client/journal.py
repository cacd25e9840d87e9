"""The site's own log: what went wrong in full, which nobody else is told.

Owns that file. Must not know what is logged.
"""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Literal

from common.errors import UserError
from common.files import open_own

LOG = "keeper.log"
PRIVATE = 0o600
LARGEST = 32 * 2**20
"""Bytes of the log, after which it becomes the old one and another begins: nobody who asks can fill a disk with it."""
_FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"
Form = Literal["text", "json"]


class _JsonLines(logging.Formatter):
    """One JSON object a record, on one line, for a collector of logs."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told)


def formatter(form: Form, plain: str = _FORM) -> logging.Formatter:
    """How a record is written: as JSON, or as text in this form."""
    return _JsonLines() if form == "json" else logging.Formatter(plain)


class _OwnFile(RotatingFileHandler):
    """A log that nobody else can read, and that no link leads elsewhere."""

    def _open(self) -> TextIOWrapper:
        descriptor = open_own(Path(self.baseFilename), os.O_APPEND)
        os.fchmod(descriptor, PRIVATE)
        return os.fdopen(descriptor, "a", encoding="utf-8")


@contextmanager
def journal(state: Path, form: Form = "text") -> Iterator[None]:
    """Write whatever the client's side logs to a file in the site's state folder while the block runs."""
    path = state / LOG
    try:
        state.mkdir(parents=True, exist_ok=True)
        handler = _OwnFile(path, maxBytes=LARGEST, backupCount=1)
    except OSError as error:
        raise UserError("cannot write the site's log", where=path, remedy=error.strerror) from None
    handler.setFormatter(formatter(form))
    client = logging.getLogger("client")
    level = client.level
    client.addHandler(handler)
    client.setLevel(logging.INFO)
    try:
        yield
    except UserError as error:
        client.error("the keeper ended: %s", error)
        raise
    except Exception:
        client.exception("the keeper ended")
        raise
    finally:
        client.setLevel(level)
        client.removeHandler(handler)
        handler.close()
