"""`eyesoff ledger`."""

import json
from datetime import UTC, datetime

import pytest

from client.history import Record
from client.ledger import Ledger, verify
from client.seen import note_of
from common.wire import Code
from simulations import cli

NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        cli.main(["ledger", *map(str, arguments)])
    return left.value.code, *capsys.readouterr()


@pytest.fixture
def path(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append(Record(time=NOON, outcome="admitted", kind="tune", run="run-1", session="03+08"))
    ledger.append(Record(time=NOON, outcome="refused", kind="release", run="run-1", code=Code.NOT_FINITE))
    ledger.append(Record(time=NOON, outcome="sent", kind="refusal", run="run-1", bytes=1234, sha256="ab" * 32))
    return ledger.path


def test_show_tells_what_happened_in_order_with_tabs_between_whole_fields(capsys, path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    status, shown, _ = run(capsys, "show", path)
    names, *rows = [line.split("\t") for line in shown.splitlines()]
    entries = [dict(zip(names, row, strict=True)) for row in rows]
    assert status == 0
    assert [(one["number"], one["time"], one["outcome"], one["kind"], one["run"]) for one in entries] == [
        ("1", "2030-01-31T12:00:00Z", "admitted", "tune", "run-1"),
        ("2", "2030-01-31T12:00:00Z", "refused", "release", "run-1"),
        ("3", "2030-01-31T12:00:00Z", "sent", "refusal", "run-1"),
    ]
    assert (entries[1]["reason"], entries[2]["bytes"], entries[2]["sha256"]) == ("not-finite", "1234", 32 * "ab")


def test_show_on_a_terminal_is_short_lines_with_all_that_matters(capsys, path, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    shown = run(capsys, "show", path, "--last", "1")[1]
    assert max(map(len, shown.splitlines())) <= 80
    for word in ("2030-01-31 12:00:00", "sent refusal", "run-1", "1,234 bytes", f"sha256 {32 * 'ab'}"):
        assert word in shown


def test_show_as_json_is_one_object_and_can_be_cut_to_the_last(capsys, path):
    _, shown, _ = run(capsys, "show", path, "--json", "--last", "1")
    (entry,) = json.loads(shown)["entries"]
    assert (entry["number"], entry["kind"], entry["bytes"]) == (3, "refusal", 1234)


def test_verify_prints_the_head_of_a_sound_chain(capsys, path):
    assert run(capsys, "verify", path) == (0, f"ok: 3 entries; head {verify(path).head}\n", "")


def test_verify_leaves_with_1_at_a_broken_chain(capsys, path):
    path.write_bytes(path.read_bytes().replace(b"not-finite", b"malformed", 1))
    status, shown, _ = run(capsys, "verify", path)
    assert (status, shown.startswith("line 3: does not follow")) == (1, True)
    assert "entry 2 was changed, or else this one" in shown
    status, shown, _ = run(capsys, "verify", path, "--json")
    assert (status, json.loads(shown)["sound"]) == (1, False)


def test_verify_against_a_head_shows_a_cut(capsys, path):
    head = verify(path).head
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    assert run(capsys, "verify", path)[0] == 1
    note_of(path).unlink()
    assert run(capsys, "verify", path)[0] == 0
    assert run(capsys, "verify", path, "--head", head)[0] == 1


def test_a_ledger_that_is_not_there_is_named(capsys, tmp_path):
    status, _, told = run(capsys, "show", tmp_path / "none.jsonl")
    assert (status, "cannot read the ledger" in told) == (2, True)


def test_what_is_no_ledger_does_not_pass_for_an_empty_one(capsys, path):
    assert run(capsys, "show", path)[2] == ""
    path.write_text("# Notes\n\nnothing of the kind\n")
    status, _, told = run(capsys, "show", path)
    assert (status, told) == (0, f"3 line(s) of {path} are no entries; `eyesoff ledger verify` says which may be\n")
    assert run(capsys, "verify", path)[0] == 1


class TestAccepting:
    """A ledger that lost its end is gone on with when a person says so, and not before."""

    @pytest.fixture
    def lost(self, path):
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
        return path

    def test_it_is_told_what_is_lost_and_asked(self, capsys, lost, monkeypatch):
        monkeypatch.setattr("click.termui.visible_prompt_func", lambda text: "y")
        status, shown, _ = run(capsys, "accept", lost)
        assert status == 0
        assert "it had 3 entries" in shown
        assert "it may be released and scored again" in shown
        assert shown.endswith("accepted: entry 3 says so\n")
        assert run(capsys, "verify", lost)[0] == 0

    def test_whoever_says_no_changes_nothing(self, capsys, lost, monkeypatch):
        before = lost.read_bytes()
        monkeypatch.setattr("click.termui.visible_prompt_func", lambda text: "n")
        assert run(capsys, "accept", lost)[0] != 0
        assert lost.read_bytes() == before
        assert run(capsys, "verify", lost)[0] == 1

    def test_a_ledger_that_was_moved_away_is_begun_anew(self, capsys, path):
        path.unlink()
        assert run(capsys, "accept", path, "--yes")[0] == 0
        assert run(capsys, "verify", path)[0] == 0
        assert json.loads(run(capsys, "show", path, "--json")[1])["entries"][0]["outcome"] == "accepted"

    def test_a_ledger_that_lost_nothing_is_left_as_it_is(self, capsys, path):
        before = path.read_bytes()
        assert run(capsys, "accept", path) == (0, f"nothing to accept: {path} holds what was last written to it\n", "")
        assert path.read_bytes() == before

    def test_where_no_ledger_ever_was_none_is_made(self, capsys, tmp_path):
        status, _, told = run(capsys, "accept", tmp_path / "mistyped.jsonl")
        assert (status, "no ledger was ever here" in told) == (2, True)
        assert not list(tmp_path.iterdir())
