"""The ledger only grows, notices every change, and outlives crashes and crowds."""

import hashlib
import json
import multiprocessing
import resource
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from client.history import Record
from client.ledger import GENESIS, Ledger, entries, verify
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
    with pytest.raises(UserError, match=r"cannot be trusted|torn"):
        Ledger(three.path).append(sent())


def test_cutting_off_the_end_shows_against_a_head_noted_earlier(three):
    noted = verify(three.path).head
    three.append(sent())
    assert verify(three.path, noted).problems == ()
    three.path.write_bytes(b"".join(lines_of(three)[:2]))
    assert verify(three.path).problems == ()
    assert "cut off" in verify(three.path, noted).problems[0]
    with pytest.raises(UserError, match="shorter"):
        three.append(sent())


class TestATornLastLine:
    """What a crash leaves."""

    @pytest.fixture(params=[1, 40, -1], ids=["one byte", "some bytes", "all but the end of line"])
    def torn(self, three, request):
        whole = three.path.read_bytes()
        last = lines_of(three)[-1]
        three.path.write_bytes(whole[: -len(last)] + last[: request.param])
        return Ledger(three.path)

    def test_it_is_named(self, torn):
        assert "line 3: torn" in verify(torn.path).problems[0]

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
        torn.heal(NOON)
        whole = torn.path.read_bytes()
        torn.path.write_bytes(whole[:-50])
        again = Ledger(torn.path)
        assert again.heal(NOON)
        again.append(sent())
        assert verify(again.path).problems == ()

    def test_torn_bytes_cannot_be_changed_after_they_were_healed(self, torn):
        torn.heal(NOON)
        lines = lines_of(torn)
        lines[2] = b"#" + lines[2][1:]
        torn.path.write_bytes(b"".join(lines))
        assert verify(torn.path).problems


def test_a_sound_ledger_needs_no_healing(three):
    assert three.heal(NOON) is None
    assert verify(three.path).entries == 3


def test_what_a_disk_did_not_take_stops_the_writer_until_it_is_healed(three):
    size = three.path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, hard))
    try:
        with pytest.raises(UserError, match="cannot be written"):
            three.append(sent())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with pytest.raises(UserError, match="torn"):
        three.append(sent())
    three.heal(NOON)
    three.append(sent())
    assert verify(three.path).problems == ()


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


def test_a_ledger_that_cannot_be_opened_is_named(tmp_path):
    (tmp_path / "ledger").mkdir()
    with pytest.raises(UserError, match=r"cannot be opened: .*ledger"):
        Ledger(tmp_path / "ledger").append(sent())
    with pytest.raises(UserError, match="cannot read the ledger"):
        verify(tmp_path / "none.jsonl")
