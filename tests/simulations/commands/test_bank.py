"""`eyesoff bank`."""

import json
from pathlib import Path

import pytest

from common.training import distillation
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


def test_list_is_a_line_a_release_in_a_pipe_and_nothing_is_cut(capsys, bank, stored, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    status, shown, _ = run(capsys, "list", bank.folder)
    header, line = (text.split("\t") for text in shown.splitlines())
    told = dict(zip(header, line, strict=True))
    assert (status, told["name"], told["session"], told["synthesizer"]) == (0, stored.name, "03+08", "eskimez")
    assert told["emotions"] == "neutral angry sad happy"


def test_list_cuts_nothing_on_a_terminal(capsys, bank, stored, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("simulations.commands.bank._on_terminal", lambda: True)
    _, shown, _ = run(capsys, "list", bank.folder)
    assert shown.splitlines()[:2] == ["1 release", stored.name]
    assert "session 03+08" in shown
    assert "…" not in shown


def test_list_as_json_is_one_object(capsys, bank, stored):
    _, shown, _ = run(capsys, "list", bank.folder, "--json")
    (told,) = json.loads(shown)["releases"]
    assert (told["name"], told["sha256"]) == (stored.name, stored.sha256)


@pytest.mark.parametrize(
    ("damage", "said"),
    [(lambda path: path.write_bytes(path.read_bytes()[:100]), "cut or grown: 100 bytes"), (Path.unlink, "is gone")],
    ids=["cut", "gone"],
)
def test_list_names_what_is_not_as_large_as_its_card_says(damage, said, capsys, bank, stored):
    assert run(capsys, "list", bank.folder)[2] == ""
    damage(bank.files(stored)[1])
    status, shown, told = run(capsys, "list", bank.folder)
    assert (status, stored.name in shown, told.count("\n")) == (0, True, 1)
    assert told.startswith(f"{stored.name}: ")
    assert said in told
    assert f"`eyesoff bank verify {bank.folder}`" in told
    (finding,) = json.loads(run(capsys, "list", bank.folder, "--json")[1])["findings"]
    assert (finding["name"], said in finding["problem"]) == (stored.name, True)


def test_show_tells_the_papers_of_one(capsys, bank, stored):
    _, shown, _ = run(capsys, "show", bank.folder, stored.name)
    told = json.loads(shown)
    assert told["card"]["tuning"]["session"] == "03+08"
    assert told["settings"] == stored.card.tuning.settings_hash


def test_verify_is_content_with_a_sound_bank(capsys, bank, stored):
    assert run(capsys, "verify", bank.folder) == (0, "ok: 1 release\n", "")


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


def test_an_exported_zip_is_a_bank_to_every_command_that_only_reads(capsys, bank, stored, tmp_path):
    archive = tmp_path / "generators.zip"
    assert run(capsys, "export", bank.folder, archive)[0] == 0
    assert stored.name in run(capsys, "list", archive)[1]
    assert json.loads(run(capsys, "show", archive, stored.name)[1])["sha256"] == stored.sha256
    assert run(capsys, "verify", archive) == (0, "ok: 1 release\n", "")
    assert run(capsys, "export", archive, tmp_path / "again")[0] == 0
    assert Bank(tmp_path / "again").banked() == (stored,)


def test_a_zip_is_never_changed(capsys, bank, stored, tmp_path):
    archive = tmp_path / "generators.zip"
    run(capsys, "export", bank.folder, archive)
    before = archive.read_bytes()
    for words in (("remove", archive, stored.name), ("verify", archive, "--quarantine")):
        status, _, told = run(capsys, *words)
        assert (status, "a bank in a zip file is only read" in told) == (2, True)
    assert archive.read_bytes() == before


def test_a_bank_that_is_not_there_is_an_error_and_not_an_empty_list(capsys, tmp_path):
    status, _, told = run(capsys, "list", tmp_path / "none")
    assert (status, "no such bank" in told) == (2, True)


class TestShrinking:
    """`eyesoff bank shrink`."""

    @pytest.fixture(autouse=True)
    def _soon_distilled(self, monkeypatch):
        monkeypatch.setattr(distillation, "STEPS", 4)

    @pytest.fixture
    def stored(self, bank, release, tune):
        bank.keep_base(tune.base)
        return bank.add(release)

    def test_it_says_what_each_release_was_and_is(self, capsys, bank, stored, tmp_path):
        status, shown, _ = run(capsys, "shrink", bank.folder, tmp_path / "small", "--rank", 4)
        (one,) = Bank(tmp_path / "small").banked()
        assert (status, shown.splitlines()[-1]) == (0, f"1 release in {tmp_path / 'small'}")
        assert shown.startswith(f"{one.name}: {stored.bytes / 1e3:.1f} kB became {one.bytes / 1e3:.1f} kB")
        assert "\t0.0" in run(capsys, "list", tmp_path / "small")[1]

    def test_nothing_is_written_over(self, capsys, bank, stored):
        status, _, told = run(capsys, "shrink", bank.folder, bank.folder, "--rank", 4)
        assert (status, "the target exists already" in told) == (2, True)

    def test_a_rank_that_no_layer_has_is_one_line(self, capsys, bank, stored, tmp_path):
        status, _, told = run(capsys, "shrink", bank.folder, tmp_path / "small", "--rank", 999)
        assert (status, told.count("\n"), "release.rank" in told) == (2, 1, False)
        assert "above the" in told

    def test_a_rank_of_what_has_no_public_networks_is_to_be_left_out(self, capsys, bank, vector_release, tmp_path):
        bank.add(vector_release)
        status, _, told = run(capsys, "shrink", bank.folder, tmp_path / "small", "--rank", 8)
        assert (status, told.count("\n"), "release.rank" in told) == (2, 1, False)
        assert "gaussian: a rank is of a difference" in told
        assert told.endswith("; leave out --rank\n")
        assert run(capsys, "shrink", bank.folder, tmp_path / "small")[0] == 0
