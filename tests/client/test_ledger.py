"""The ledger only grows, notices every change, and outlives crashes and crowds."""

import errno
import hashlib
import json
import multiprocessing
import os
import resource
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from client.history import Record
from client.ledger import GENESIS, ROOM, Ledger, entries, verify
from client.seen import LostError, Seen, note_of, read_seen
from common.errors import UserError

NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)


def sent(number=0, time=NOON):
    return Record(time=time, outcome="sent", kind="release", run="run-1", bytes=number)


@pytest.fixture
def three(ledger):
    for number in range(3):
        ledger.append(sent(number))
    return ledger


def lines_of(ledger):
    return ledger.path.read_bytes().splitlines(keepends=True)


def test_each_entry_holds_the_hash_of_the_line_before_it(three):
    previous = GENESIS
    for number, line in enumerate(lines_of(three), start=1):
        entry = json.loads(line)
        assert (entry["number"], entry["previous"]) == (number, previous)
        previous = hashlib.sha256(line.rstrip(b"\n")).hexdigest()
    assert verify(three.path).head == previous


def test_a_ledger_that_nobody_touched_is_sound(three):
    verification = verify(three.path)
    assert (verification.entries, verification.problems) == (3, ())
    assert [entry.bytes for entry in entries(three.path)] == [0, 1, 2]


def test_only_its_owner_may_read_it(three):
    assert three.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("tamper", "place"),
    [
        (lambda lines: [lines[0].replace(b"run-1", b"run-2"), *lines[1:]], "line 2"),
        (lambda lines: [lines[0], lines[2]], "line 2"),
        (lambda lines: lines[1:], "line 1"),
        (lambda lines: [lines[0], lines[0], *lines[1:]], "line 2"),
        (lambda lines: [lines[1], lines[0], lines[2]], "line 1"),
        (lambda lines: [lines[0], b"\n", *lines[1:]], "line 3"),
    ],
    ids=["edited", "middle cut out", "first cut off", "doubled", "swapped", "blank put in"],
)
def test_a_change_is_found_and_placed_and_nothing_more_is_written(three, tamper, place):
    three.path.write_bytes(b"".join(tamper(lines_of(three))))
    problems = verify(three.path).problems
    assert problems[0].startswith(f"{place}:")
    with pytest.raises(UserError, match=r"cannot be trusted|torn|does not hold"):
        Ledger(three.path).append(sent())


def test_cutting_off_the_end_shows_against_a_head_noted_earlier(three):
    noted = verify(three.path).head
    three.append(sent())
    assert verify(three.path, noted).problems == ()
    three.path.write_bytes(b"".join(lines_of(three)[:2]))
    note_of(three.path).unlink()
    assert verify(three.path).problems == ()
    assert "cut off" in verify(three.path, noted).problems[0]


class TestATornLastLine:
    """What a crash leaves."""

    @pytest.fixture(params=[1, 40, -1], ids=["one byte", "some bytes", "all but the end of line"])
    def torn(self, three, request):
        noted = note_of(three.path).read_bytes()
        three.append(sent())
        note_of(three.path).write_bytes(noted)
        *whole, last = lines_of(three)
        three.path.write_bytes(b"".join(whole) + last[: request.param])
        return Ledger(three.path)

    def test_it_is_named(self, torn):
        assert "line 4: torn" in verify(torn.path).problems[0]

    def test_nothing_is_appended_to_it(self, torn):
        with pytest.raises(UserError, match=r"torn.*start the keeper again"):
            torn.append(sent())

    def test_healing_keeps_the_torn_bytes_and_says_so(self, torn):
        before = torn.path.read_bytes()
        assert torn.heal(NOON).outcome == "healed"
        assert torn.path.read_bytes().startswith(before)
        torn.append(sent())
        verification = verify(torn.path)
        assert (verification.problems, verification.healed) == ((), 1)
        assert Ledger(torn.path).heal(NOON) is None

    def test_a_crash_while_healing_is_healed_as_well(self, torn):
        noted = note_of(torn.path).read_bytes()
        torn.heal(NOON)
        note_of(torn.path).write_bytes(noted)
        whole = torn.path.read_bytes()
        torn.path.write_bytes(whole[:-50])
        again = Ledger(torn.path)
        assert again.heal(NOON)
        again.append(sent())
        assert verify(again.path).problems == ()

    def test_torn_bytes_cannot_be_changed_after_they_were_healed(self, torn):
        torn.heal(NOON)
        lines = lines_of(torn)
        lines[3] = b"#" + lines[3][1:]
        torn.path.write_bytes(b"".join(lines))
        assert verify(torn.path).problems


def test_a_sound_ledger_needs_no_healing(three):
    assert three.heal(NOON) is None
    assert verify(three.path).entries == 3


@contextmanager
def room_for(ledger, size):
    """A disk that takes so many bytes more of this ledger."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ledger.path.stat().st_size + size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_bytes_that_never_were_an_entry_are_called_torn_however_often_they_are_met(ledger):
    ledger.path.parent.mkdir(parents=True)
    ledger.path.write_bytes(b"torn\n")
    for _ in range(2):
        with pytest.raises(UserError, match="its last line is torn"):
            ledger.append(sent())
    assert ledger.heal(NOON).bytes == len(b"torn\n")


class TestADiskThatIsFull:
    """Nothing is written while it is, and everything as soon as it is not."""

    @pytest.mark.parametrize("size", [0, 1, 20, 150])
    def test_who_could_not_write_heals_what_that_left_as_soon_as_there_is_room(self, three, size):
        with room_for(three, size):
            for _ in range(3):
                with pytest.raises(UserError, match="cannot be written"):
                    three.append(sent())
        entry = three.append(sent(9))
        assert (entry.number, entry.bytes) == (5, 9)
        verification = verify(three.path)
        assert (verification.entries, verification.healed, verification.problems) == (5, 1, ())

    @pytest.mark.parametrize("size", [0, 20])
    def test_whoever_looks_after_it_heals_it_as_well(self, three, size):
        with room_for(three, size):
            with pytest.raises(UserError, match="cannot be written"):
                three.append(sent())
            with pytest.raises(UserError, match="cannot be written"):
                three.check(NOON)
        assert three.check(NOON).number == 4
        assert three.check(NOON) == read_seen(three.path)
        assert verify(three.path).problems == ()

    def test_a_note_that_could_not_be_written_stops_the_entry_from_counting_as_written(self, three, monkeypatch):
        with monkeypatch.context() as patched:
            patched.setattr("client.ledger.write_seen", full)
            with pytest.raises(UserError, match="No space left"):
                three.append(sent(1))
        three.append(sent(2))
        assert [entry.outcome for entry in entries(three.path)][3:] == ["sent", "healed", "sent"]
        assert verify(three.path).problems == ()

    def test_what_somebody_else_left_torn_is_not_healed_by_who_could_not_write(self, three):
        with three.path.open("ab") as stream:
            stream.write(b"torn")
        with pytest.raises(UserError, match="torn"):
            three.append(sent())
        with pytest.raises(UserError, match="torn"):
            three.check(NOON)

    def test_the_last_of_a_disk_is_left_alone(self, three, monkeypatch):
        before, room = three.path.read_bytes(), os.fstatvfs
        monkeypatch.setattr("os.fstatvfs", lambda file: Disk(room(file), f_bavail=ROOM // room(file).f_frsize - 1))
        for attempt in (lambda: three.append(sent()), lambda: three.check(NOON)):
            with pytest.raises(UserError, match=r"its disk is full.*16 MiB"):
                attempt()
        assert three.path.read_bytes() == before
        monkeypatch.setattr("os.fstatvfs", lambda file: Disk(room(file), f_bavail=ROOM // room(file).f_frsize))
        three.append(sent())

    def test_a_file_system_that_tells_nothing_of_its_room_is_written_to(self, three, monkeypatch):
        monkeypatch.setattr("os.fstatvfs", lambda file: Disk(None, f_blocks=0, f_bavail=0, f_frsize=0))
        assert three.append(sent()).number == 4

    def test_a_folder_that_cannot_be_written_is_named(self, three, monkeypatch):
        monkeypatch.setattr("os.access", lambda path, mode, **how: False)
        with pytest.raises(UserError, match="its folder cannot be written"):
            three.check(NOON)


class Disk:
    """What a file system tells of itself, changed in what is given."""

    def __init__(self, told, **changed):
        self.told = told
        self.__dict__ |= changed

    def __getattr__(self, name):
        return getattr(self.told, name)


def full(*arguments):
    raise UserError("cannot write", remedy=os.strerror(errno.ENOSPC))


class TestWhatWasWrittenLast:
    """A ledger without it is named by whoever opens it next, and nothing more is written."""

    def test_it_is_noted_with_each_entry(self, three):
        assert read_seen(three.path) == three.check(NOON)
        assert three.check(NOON) == Seen(number=3, head=verify(three.path).head, size=three.path.stat().st_size)
        assert note_of(three.path).stat().st_mode & 0o777 == 0o600

    def test_a_kill_before_it_was_noted_is_no_alarm(self, three):
        noted = note_of(three.path).read_bytes()
        three.append(sent())
        note_of(three.path).write_bytes(noted)
        assert Ledger(three.path).heal(NOON) is None
        assert Ledger(three.path).append(sent()).number == 5

    def test_a_ledger_from_before_there_were_notes_is_gone_on_with(self, three):
        note_of(three.path).unlink()
        assert Ledger(three.path).append(sent()).number == 4
        assert read_seen(three.path).number == 4

    @pytest.fixture(params=["cut", "emptied", "gone", "replaced", "last replaced", "note damaged", "note a link"])
    def lost(self, three, request, tmp_path):
        """A ledger that is sound by itself."""
        lines, other = lines_of(three), Ledger(tmp_path / "other.jsonl")
        for number in range(5 if request.param == "replaced" else 3):
            other.append(sent(number if number < 2 else 7))
        if request.param == "gone":
            three.path.unlink()
        elif request.param == "note damaged":
            note_of(three.path).write_text("{")
        elif request.param == "note a link":
            note_of(three.path).rename(tmp_path / "note")
            note_of(three.path).symlink_to(tmp_path / "note")
        else:
            cut = {"cut": b"".join(lines[:2]), "emptied": b""}
            three.path.write_bytes(cut.get(request.param, other.path.read_bytes()))
        return three

    @pytest.mark.parametrize(
        "touch", [lambda one: one.heal(NOON), lambda one: one.append(sent()), lambda one: one.check(NOON)]
    )
    def test_a_start_without_it_fails_in_one_line_that_says_what_to_do(self, lost, touch):
        fresh = Ledger(lost.path)
        for _ in range(2):
            with pytest.raises(LostError, match=f"eyesoff ledger accept {lost.path}") as raised:
                touch(fresh)
            assert len(str(raised.value).splitlines()) == 1
        assert any("written last" in line or "note" in line for line in verify(lost.path).problems)

    def test_a_person_can_accept_it_and_that_is_written_down(self, lost):
        before = lost.path.read_bytes() if lost.path.exists() else b""
        entry = Ledger(lost.path).accept(NOON)
        assert (entry.outcome, entry.number) == ("accepted", len(before.splitlines()) + 1)
        assert "it had 3 entries" in entry.words or "the note of that" in entry.words
        assert lost.path.read_bytes().startswith(before)
        assert Ledger(lost.path).append(sent()).number == entry.number + 1
        assert verify(lost.path).problems == ()

    def test_there_is_nothing_to_accept_of_a_ledger_that_lost_nothing(self, three):
        assert Ledger(three.path).accept(NOON) is None
        assert verify(three.path).entries == 3

    def test_what_is_torn_behind_what_is_accepted_is_accounted_for(self, three):
        three.path.write_bytes(lines_of(three)[0] + b"torn")
        Ledger(three.path).accept(NOON)
        assert [entry.outcome for entry in entries(three.path)] == ["sent", "healed", "accepted"]
        assert verify(three.path).problems == ()

    @pytest.mark.parametrize("change", [lambda lines: lines[:2], lambda lines: [*lines[:2], lines[2].upper()]])
    def test_a_keeper_at_work_names_it_at_its_next_entry(self, three, change):
        three.path.write_bytes(b"".join(change(lines_of(three))))
        before = three.path.read_bytes()
        for _ in range(2):
            with pytest.raises(LostError, match="while a keeper was at work"):
                three.append(sent())
        assert three.path.read_bytes() == before


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.symlink_to(path.with_name("elsewhere")), "a link"),
        (os.mkfifo, "no plain file"),
        (lambda path: path.mkdir(), "directory"),
    ],
    ids=["symlink", "fifo", "directory"],
)
def test_what_is_no_file_in_a_ledgers_place_is_named_and_left_alone(tmp_path, make, why):
    (tmp_path / "elsewhere").write_bytes(b"speech")
    make(tmp_path / "ledger.jsonl")
    with pytest.raises(UserError, match=f"the ledger: cannot be opened: .*ledger.jsonl; .*{why}"):
        Ledger(tmp_path / "ledger.jsonl").append(sent())
    assert (tmp_path / "elsewhere").read_bytes() == b"speech"


def test_a_judge_hears_what_happened_in_the_last_day_and_can_stop_an_entry(ledger):
    for hours, size in ((0, 1), (10, 20), (30, 300)):
        ledger.append(sent(size, NOON + timedelta(hours=hours)))
    seen = []

    def judge(history):
        seen.append(history.bytes_today)
        raise UserError("no")

    with pytest.raises(UserError, match="no"):
        ledger.append(sent(time=NOON + timedelta(hours=33)), judge)
    assert seen == [320]
    assert verify(ledger.path).entries == 3


def test_a_judge_hears_what_another_process_wrote_and_what_was_before_a_restart(three):
    other = Ledger(three.path)
    other.append(sent(9))
    seen = []
    three.append(sent(), lambda history: seen.append(history.bytes_today))
    assert seen == [0 + 1 + 2 + 9]


def _write_ten(path):
    ledger = Ledger(path)
    for number in range(10):
        ledger.append(sent(number))


def test_processes_and_threads_write_one_chain(ledger):
    with multiprocessing.get_context("fork").Pool(3) as pool, ThreadPoolExecutor(4) as threads:
        processes = pool.map_async(_write_ten, [ledger.path] * 3)
        list(threads.map(lambda number: ledger.append(sent(number)), range(20)))
        processes.get(60)
    verification = verify(ledger.path)
    assert (verification.entries, verification.problems) == (50, ())


def test_a_ledger_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match="cannot read the ledger"):
        verify(tmp_path / "none.jsonl")
