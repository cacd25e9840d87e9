"""The site's own record of everything that left, and of everything that was asked for or held back.

Owns the file: one line an entry, each holding the hash of the entry before it, only ever appended to, so that the file
can be made append-only for the operating system too. Must not know who may ask for what.

A process that dies while it writes leaves a torn last line. Nothing is appended to a torn ledger until `heal`, which
leaves the torn bytes where they are and appends an entry that says so and holds their hash. Who could not write, for
want of room, heals what that left as soon as there is room.
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
from typing import BinaryIO, TypeVar

from pydantic import ValidationError

from client.history import Entry, History, Record
from client.seen import LostError, Seen, read_seen, write_seen
from common.errors import UserError
from common.files import open_own

GENESIS = "0" * 64
PIECE = 2**20
"""Bytes of a ledger that are read at once."""
ROOM = 16 * 2**20
"""Bytes of a disk that a ledger leaves free."""

Told = TypeVar("Told")
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
        broken = _break(self.number, self.head, entry)
        self.number, self.head = entry.number, hashlib.sha256(line).hexdigest()
        if broken:
            raise ValueError(f"does not follow from the entry before it: {broken}")
        if (torn or entry.outcome == "healed") and not _heals(entry, torn):
            raise ValueError("the bytes before it are no entry, and it does not account for them")
        return entry


def _break(number: int, head: str, entry: Entry) -> str:
    """What was done where an entry does not follow from the one of this number and head; nothing where it does.

    An entry that is changed and keeps its number breaks the chain at the next one, which holds its hash.
    """
    if entry.number != number + 1 or not number:
        follows = (entry.number, entry.previous) == (number + 1, head)
        return "" if follows else "something was changed, removed or put in"
    return "" if entry.previous == head else f"entry {number} was changed, or else this one"


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
        self._last = 0, 0
        self._history = History()
        self._expected: Seen | None = None
        self._met = GENESIS
        self._failed = False

    def append(self, record: Record, judge: Judge | None = None) -> Entry:
        """Write one entry through to the disk, unless `judge` raises at what has happened so far.

        Whoever appends, appends before the bytes leave: the ledger may hold what did not arrive, never the reverse.
        """
        with self._lock, self._open() as stream:
            self._make_ready(stream, record.time)
            if judge is not None:
                self._history.move_to(record.time)
                judge(self._history)
            return self._write(stream, record)

    def check(self, time: datetime) -> Seen:
        """What was written last, if an entry could be written now; raises where none could."""
        with self._lock, self._open() as stream:
            self._make_ready(stream, time)
            return self._written

    def look(self, time: datetime, tell: Callable[[History], Told]) -> Told:
        """What has happened up to a time, as `tell` sums it up; raises where nothing could be written."""
        with self._lock, self._open() as stream:
            self._make_ready(stream, time)
            self._history.move_to(time)
            return tell(self._history)

    def heal(self, time: datetime) -> Entry | None:
        """Account for a torn last line; None where there is none. For the keeper's start."""
        with self._lock, self._open() as stream:
            tail = self._catch_up(stream)
            return self._mend(stream, tail, time) if tail or self._chain.torn else None

    def accept(self, time: datetime) -> Entry | None:
        """Go on from what is there, although something else was written last; None where it is what was.

        For a person who knows why: what was lost does not count any more, neither the day's nor in all.
        """
        with self._lock, self._open() as stream:
            try:
                self._catch_up(stream)
            except LostError as lost:
                tail = self._follow(stream)
                if tail or self._chain.torn:
                    self._mend(stream, tail, time)
                there = self._chain.number, self._chain.head
                words = "{}; there were {} entries with head {}".format(lost.what, *there)
                return self._write(stream, Record(time=time, outcome="accepted", words=words))
            return None

    @property
    def _written(self) -> Seen:
        return Seen(number=self._chain.number, head=self._chain.head, size=self._read)

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        """The file under an exclusive lock, which another process or thread waits for."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = open_own(self.path, os.O_APPEND)
        except OSError as error:
            raise self._broken("cannot be opened", remedy=error.strerror) from error
        with os.fdopen(descriptor, "r+b", buffering=0) as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield stream

    def _make_ready(self, stream: BinaryIO, time: datetime) -> None:
        """Follow the file to its end and account for what a failed writing of our own left there."""
        tail = self._catch_up(stream)
        if (tail or self._chain.torn) and not self._failed:  # somebody else's bytes: a person shall see them
            raise self._broken("its last line is torn", remedy="start the keeper again: it heals its ledger")
        self._require_room(stream)
        if self._failed:
            self._mend(stream, tail, time)

    def _mend(self, stream: BinaryIO, tail: bytes, time: datetime) -> Entry:
        if tail:  # which may be an entry that lacks its end of line alone
            self._put(stream, b"\n")
            self._take(tail)
        torn = _joined(self._chain.torn)
        record = Record(time=time, outcome="healed", bytes=len(torn), sha256=hashlib.sha256(torn).hexdigest())
        return self._write(stream, record)

    def _catch_up(self, stream: BinaryIO) -> bytes:
        """Follow what others have written since, and miss nothing of what was there; the answer is the torn end."""
        if self._chain.number:
            self._require_last(stream)
        elif self._expected is None:
            self._expected = read_seen(self.path)
        tail = self._follow(stream)
        if self._expected is not None:
            self._require_expected(self._expected)
        return tail

    def _require_last(self, stream: BinaryIO) -> None:
        """The last entry that this object knows of must be where it was."""
        if os.fstat(stream.fileno()).st_size < self._read:
            raise LostError(f"it became shorter than {self._read} bytes while a keeper was at work", self.path)
        start, size = self._last
        if hashlib.sha256(os.pread(stream.fileno(), size, start)).hexdigest() != self._chain.head:
            raise LostError(f"its entry {self._chain.number} was replaced while a keeper was at work", self.path)

    def _require_expected(self, expected: Seen) -> None:
        """The last entry that anybody wrote must be there, perhaps with others behind it."""
        before = f"it had {expected.number} entries in {expected.size} bytes with head {expected.head}"
        if self._chain.number < expected.number:
            raise LostError(f"{before}, and has {self._chain.number} in {self._read} bytes", self.path)
        if self._met != expected.head:
            raise LostError(f"{before}, and entry {expected.number} has head {self._met} now", self.path)
        self._expected = None

    def _follow(self, stream: BinaryIO) -> bytes:
        stream.seek(self._read)
        tail = b""
        while piece := stream.read(PIECE):
            *lines, tail = (tail + piece).split(b"\n")
            for line in lines:
                self._take(line)
        return tail

    def _take(self, line: bytes) -> None:
        try:
            entry = self._chain.take(line)
        except ValueError as error:
            remedy = f"{error}; keep the file as evidence elsewhere, then `eyesoff ledger accept` begins a new one"
            raise self._broken(f"entry {self._chain.number} cannot be trusted", remedy=remedy) from None
        if entry is not None:
            self._history.add(entry)
            self._last = self._read, len(line)
            if self._expected is not None and entry.number == self._expected.number:
                self._met = self._chain.head
        self._read += len(line) + 1

    def _write(self, stream: BinaryIO, record: Record) -> Entry:
        entry = Entry(**record.model_dump(), number=self._chain.number + 1, previous=self._chain.head)
        line = entry.model_dump_json().encode()
        self._put(stream, line + b"\n")
        self._take(line)
        write_seen(self.path, self._written)
        self._failed = False
        return entry

    def _require_room(self, stream: BinaryIO) -> None:
        """Leave the last of a disk to the people who must make room on it; none of it is filled with half an entry."""
        if not os.access(self.path.parent, os.W_OK | os.X_OK, effective_ids=True):
            raise self._broken("its folder cannot be written", remedy="give the keeper's user the right to")
        disk = os.fstatvfs(stream.fileno())
        if disk.f_blocks and disk.f_bavail * disk.f_frsize < ROOM:  # a few file systems tell nothing
            raise self._broken("its disk is full", remedy=f"make room: a keeper leaves {ROOM >> 20} MiB free")

    def _put(self, stream: BinaryIO, line: bytes) -> None:
        self._failed = True
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

    A chain cannot tell that its last entries were cut off; `noted`, a head from an earlier reading, can, and so can the
    keeper's own note beside the ledger, where that lies there.
    """
    chain = _Chain()
    heads, problems = {GENESIS}, []
    try:
        seen = read_seen(path)  # before the ledger, which a keeper may be writing
    except LostError as error:
        seen, problems = None, [error.what]
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
    if seen is not None and seen.head not in heads:
        problems.append(f"entry {seen.number}, which was written last, is not in it: entries were cut off or changed")
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
