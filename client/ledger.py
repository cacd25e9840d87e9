"""The site's own record of everything that left, and of everything that was asked for or held back.

Owns the file: one line an entry, each holding the hash of the entry before it, only ever appended to, so that the file
can be made append-only for the operating system too. Must not know who may ask for what.

A process that dies while it writes leaves a torn last line. Nothing is appended to a torn ledger until `heal`, which
leaves the torn bytes where they are and appends an entry that says so and holds their hash.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from pydantic import ValidationError

from client.history import Entry, History, Record
from common.errors import UserError

GENESIS = "0" * 64
PRIVATE = 0o600
PIECE = 2**20
"""Bytes of a ledger that are read at once."""

Judge = Callable[[History], None]
"""Reads what has happened up to the record's time, and raises if the record must not be."""


class _Chain:
    """Follows the lines of a ledger; whoever reads one, reads it with this."""

    def __init__(self) -> None:
        self.number = 0
        self.head = GENESIS
        self.torn: list[bytes] = []

    def take(self, line: bytes) -> Entry | None:
        """The entry in a line, None for a torn one; raises ValueError where the chain breaks."""
        entry = _entry(line)
        if entry is None:
            self.torn.append(line)
            return None
        torn, self.torn = _joined(self.torn), []
        follows = entry.previous == self.head and entry.number == self.number + 1
        self.number, self.head = entry.number, hashlib.sha256(line).hexdigest()
        if not follows:
            raise ValueError("does not follow from the entry before it: something was changed, removed or put in")
        if (torn or entry.outcome == "healed") and not _heals(entry, torn):
            raise ValueError("the bytes before it are no entry, and it does not account for them")
        return entry


def _joined(torn: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in torn)


def _heals(entry: Entry, torn: bytes) -> bool:
    found = (entry.outcome, entry.bytes, entry.sha256)
    return found == ("healed", len(torn), hashlib.sha256(torn).hexdigest())


class Ledger:
    """A ledger to write to; several processes and threads may hold one on the same file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._chain = _Chain()
        self._read = 0
        self._history = History()

    def append(self, record: Record, judge: Judge | None = None) -> Entry:
        """Write one entry through to the disk, unless `judge` raises at what has happened so far.

        Whoever appends, appends before the bytes leave: the ledger may hold what did not arrive, never the reverse.
        """
        with self._lock, self._open() as stream:
            tail = self._catch_up(stream)
            if tail or self._chain.torn:
                raise self._broken("its last line is torn", remedy="start the keeper again: it heals its ledger")
            if judge is not None:
                self._history.move_to(record.time)
                judge(self._history)
            return self._write(stream, record)

    def heal(self, time: datetime) -> Entry | None:
        """Account for a torn last line; None where there is none. For the keeper's start."""
        with self._lock, self._open() as stream:
            tail = self._catch_up(stream)
            if not tail and not self._chain.torn:
                return None
            if tail:  # which may be an entry that lacks its end of line alone
                self._put(stream, b"\n")
                self._take(tail)
            torn = _joined(self._chain.torn)
            record = Record(time=time, outcome="healed", bytes=len(torn), sha256=hashlib.sha256(torn).hexdigest())
            return self._write(stream, record)

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        """The file under an exclusive lock, which another process or thread waits for."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, PRIVATE)
        except OSError as error:
            raise self._broken("cannot be opened", remedy=error.strerror) from error
        with os.fdopen(descriptor, "r+b", buffering=0) as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield stream

    def _catch_up(self, stream: BinaryIO) -> bytes:
        """Follow what others have written since; the answer is what stands behind the last end of line."""
        if os.fstat(stream.fileno()).st_size < self._read:
            raise self._broken("it has become shorter", remedy="find out who shortened it, then start a new ledger")
        stream.seek(self._read)
        tail = b""
        while piece := stream.read(PIECE):
            *lines, tail = (tail + piece).split(b"\n")
            for line in lines:
                self._take(line)
        return tail

    def _take(self, line: bytes) -> Entry | None:
        try:
            entry = self._chain.take(line)
        except ValueError as error:
            remedy = f"{error}; keep the file as evidence and start a new ledger"
            raise self._broken(f"entry {self._chain.number} cannot be trusted", remedy=remedy) from None
        self._read += len(line) + 1
        if entry is not None:
            self._history.add(entry)
        return entry

    def _write(self, stream: BinaryIO, record: Record) -> Entry:
        entry = Entry(**record.model_dump(), number=self._chain.number + 1, previous=self._chain.head)
        line = entry.model_dump_json().encode()
        self._put(stream, line + b"\n")
        self._take(line)
        return entry

    def _put(self, stream: BinaryIO, line: bytes) -> None:
        try:
            written = stream.write(line)
            os.fsync(stream.fileno())
        except OSError as error:
            raise self._broken("cannot be written", remedy=error.strerror) from error
        if written != len(line):
            raise self._broken("cannot be written whole", remedy="is the disk full?")

    def _broken(self, what: str, *, remedy: str | None) -> UserError:
        return UserError(f"the ledger: {what}", where=self.path, remedy=remedy)


@dataclass(frozen=True)
class Verification:
    """What a reading of a whole ledger found; `head` stands for all of it, and is worth noting down elsewhere."""

    entries: int
    head: str
    healed: int
    problems: tuple[str, ...]


def verify(path: Path, noted: str | None = None) -> Verification:
    """Follow the chain from the first entry to the last and name each place where it breaks.

    A chain cannot tell that its last entries were cut off; `noted`, a head from an earlier reading, can.
    """
    chain = _Chain()
    heads, problems = {GENESIS}, []
    count = healed = 0
    for number, line, complete in _lines(path):
        if not complete:
            problems.append(f"line {number}: torn, {len(line)} bytes without an end; the keeper's next start heals it")
            break
        try:
            entry = chain.take(line)
            healed += entry is not None and entry.outcome == "healed"
        except ValueError as error:
            problems.append(f"line {number}: {error}")
        count += not chain.torn
        heads.add(chain.head)
    if chain.torn:
        problems.append(f"the last {len(chain.torn)} line(s) are no entries, and nothing accounts for them")
    if noted is not None and noted not in heads:
        problems.append(f"no entry has the noted head {noted}: entries were cut off or changed since")
    return Verification(count, chain.head, healed, tuple(problems))


def entries(path: Path) -> Iterator[Entry]:
    """Every entry that can be read, in order, whether or not the chain holds; `verify` judges."""
    return filter(None, entries_or_strays(path))


def entries_or_strays(path: Path) -> Iterator[Entry | None]:
    """Line by line; None for what is no entry: a healed ledger has some, and what is no ledger has nothing else."""
    return (_entry(line) for _, line, _ in _lines(path))


def _entry(line: bytes) -> Entry | None:
    try:
        return Entry.model_validate_json(line)
    except ValidationError:
        return None


def _lines(path: Path) -> Iterator[tuple[int, bytes, bool]]:
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                yield number, line.removesuffix(b"\n"), line.endswith(b"\n")
    except OSError as error:
        raise UserError("cannot read the ledger", where=path, remedy=error.strerror) from None
