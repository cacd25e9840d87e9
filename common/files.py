"""Files that are either whole or absent, files that are one's own, and locks.

Owns atomic writing, and opening where somebody else may have put something in the file's place. Must not know what is
written.
"""

import errno
import fcntl
import json
import os
import secrets
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from common.errors import UserError


def atomic_write(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Put `content` at `path`, or leave what was there; `mode` is narrowed by the umask, as usual."""
    write_through(path, lambda stream: stream.write(content), mode=mode)


def atomic_json(path: Path, data: Mapping[str, Any]) -> None:
    """Put plain data at `path` as readable JSON, or leave what was there."""
    atomic_write(path, (json.dumps(data, indent=2, allow_nan=False) + "\n").encode())


def open_own(path: Path, flags: int = 0) -> int:
    """Open a file to read and write, or make it: through no link, cutting nothing short, and neither pipe nor folder.

    Raises OSError with a reason that a person can read.
    """
    try:  # not to wait is for pipes
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | flags, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(error.errno, "it is a link, and no link is followed here", str(path)) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no plain file", str(path))
    return descriptor


@contextmanager
def locked(
    path: Path, *, wait: bool = True, taken: str = "another process is at work here", remedy: str = "stop it first"
) -> Iterator[None]:
    """Hold a lock while the block runs; that of a process that is killed dies with it.

    Without `wait` a lock that somebody else holds is refused, in the words of `taken` and `remedy`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = open_own(path)
    except OSError as error:
        raise UserError("cannot open the lock", where=path, remedy=_reason(error)) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise UserError(taken, where=path, remedy=remedy) from None
        yield
    finally:
        os.close(descriptor)


def require_owner(folder: Path) -> None:
    """Refuse to write into another user's folder: its own user could not read what is left there.

    The superuser can write anywhere, so nothing else would stop it.
    """
    owner = folder.stat().st_uid if folder.exists() else os.geteuid()
    if owner != os.geteuid():
        remedy = f"give the command as that user, such as `sudo -u '#{owner}' ...`, or in the keeper's own container"
        raise UserError(
            f"these files belong to user {owner}, and you are user {os.geteuid()}", where=folder, remedy=remedy
        )


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
        raise UserError("cannot write", where=path, remedy=_reason(error)) from error


def _reason(error: OSError) -> str:
    """In words; that a file is where a folder should be, mkdir tells as if the path itself were there already."""
    return os.strerror(errno.ENOTDIR) if isinstance(error, FileExistsError) else error.strerror or str(error)


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
