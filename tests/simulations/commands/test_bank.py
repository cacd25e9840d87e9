"""`eyesoff bank`."""

import json

import pytest

from server.bank import Bank
from simulations import cli


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        cli.main(["bank", *map(str, arguments)])
    return left.value.code, *capsys.readouterr()


@pytest.fixture
def bank(tmp_path):
    return Bank(tmp_path / "bank")


@pytest.fixture
def stored(bank, release):
    return bank.add(release)


def test_list_shows_each_release(capsys, bank, stored, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    status, shown, _ = run(capsys, "list", bank.folder)
    assert status == 0
    assert stored.name in shown
    assert "1 releases" in shown


def test_list_as_json_is_one_object(capsys, bank, stored):
    _, shown, _ = run(capsys, "list", bank.folder, "--json")
    (told,) = json.loads(shown)["releases"]
    assert (told["name"], told["sha256"]) == (stored.name, stored.sha256)


def test_show_tells_the_papers_of_one(capsys, bank, stored):
    _, shown, _ = run(capsys, "show", bank.folder, stored.name)
    told = json.loads(shown)
    assert told["card"]["tuning"]["session"] == "03+08"
    assert told["settings"] == stored.card.tuning.settings_hash


def test_verify_is_content_with_a_sound_bank(capsys, bank, stored):
    assert run(capsys, "verify", bank.folder) == (0, "ok: 1 releases\n", "")


def test_verify_names_what_is_damaged_leaves_with_1_and_can_put_it_aside(capsys, bank, stored):
    weights = bank.files(stored)[1]
    weights.write_bytes(weights.read_bytes()[:100])
    status, shown, _ = run(capsys, "verify", bank.folder)
    assert status == 1
    assert shown.startswith(f"{stored.name}: cut or grown: 100 bytes")
    status, shown, _ = run(capsys, "verify", bank.folder, "--quarantine", "--json")
    assert (status, json.loads(shown)["sound"]) == (1, False)
    assert run(capsys, "verify", bank.folder)[0] == 0
    status, shown, _ = run(capsys, "remove", bank.folder, "--quarantined")
    assert (status, shown.count(stored.name)) == (0, 3)


def test_remove_deletes_all_that_were_named_or_none(capsys, bank, stored):
    assert run(capsys, "remove", bank.folder, stored.name, "nobody")[0] == 2
    assert bank.banked() == (stored,)
    assert run(capsys, "remove", bank.folder, stored.name)[0] == 0
    assert bank.banked() == ()


def test_remove_wants_a_name(capsys, bank, stored):
    status, _, told = run(capsys, "remove", bank.folder)
    assert (status, "nothing to remove was named" in told) == (2, True)


def test_export_writes_a_bank(capsys, bank, stored, tmp_path):
    assert run(capsys, "export", bank.folder, tmp_path / "out", "--only", stored.name)[0] == 0
    assert Bank(tmp_path / "out").banked() == (stored,)


def test_a_bank_that_is_not_there_is_an_error_and_not_an_empty_list(capsys, tmp_path):
    status, _, told = run(capsys, "list", tmp_path / "none")
    assert (status, "no such bank" in told) == (2, True)
