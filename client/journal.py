"""The site's own log: what went wrong in full, which nobody else is told.

Owns that file. Must not know what is logged.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.errors import UserError

LOG = "keeper.log"
PRIVATE = 0o600
_FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@contextmanager
def journal(state: Path) -> Iterator[None]:
    """Write whatever the client's side logs to a file in the site's state folder while the block runs."""
    path = state / LOG
    try:
        state.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, encoding="utf-8")
        path.chmod(PRIVATE)
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
