"""Files that are either whole or absent.

Owns atomic writing. Must not know what is written.
"""

import json
import os
import secrets
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from common.errors import UserError


def atomic_write(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Put `content` at `path`, or leave what was there; `mode` is narrowed by the umask, as usual."""
    write_through(path, lambda stream: stream.write(content), mode=mode)


def atomic_json(path: Path, data: Mapping[str, Any]) -> None:
    """Put plain data at `path` as readable JSON, or leave what was there."""
    atomic_write(path, (json.dumps(data, indent=2, allow_nan=False) + "\n").encode())


def refuse_strangers(folder: Path, own: Collection[str]) -> None:
    """Refuse a directory that holds more than a run killed in its first moment leaves: some of its `own` files."""
    if folder.is_dir() and any(path.name not in own and not path.name.startswith(".") for path in folder.iterdir()):
        raise UserError("the run directory holds something else", where=folder, remedy="choose an empty one")


def write_through(path: Path, write: Callable[[BinaryIO], object], *, mode: int = 0o666) -> None:
    """Let `write` fill a temporary neighbour of `path`, then put it in place; nothing half-written survives."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _fill_and_replace(path, write, mode)
    except OSError as error:
        raise UserError("cannot write", where=path, remedy=error.strerror or str(error)) from error


def _fill_and_replace(path: Path, write: Callable[[BinaryIO], object], mode: int) -> None:
    whole = path.with_name(f".{path.name}.{secrets.token_hex(4)}")  # tempfile's would be closed to all but its owner
    try:
        with os.fdopen(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        whole.replace(path)
    except BaseException:
        whole.unlink(missing_ok=True)
        raise
