"""The bank keeps the bytes that came, and names whatever is no longer they."""

import hashlib
import json
import zipfile

import pytest
import torch

from common.errors import UserError
from common.wire import Code, Release, WireError, decode, encode
from server.bank import LIMITS, Bank
from server.export import export


def another(release, **changed):
    """A release of the same settings with another place in the campaign, and other weights."""
    tuning = release.card.tuning.model_copy(update=changed)
    generator = release.released | {"linears.0.bias": torch.full_like(release.released["linears.0.bias"], 0.5)}
    return Release(card=release.card.model_copy(update={"tuning": tuning}), released=generator)


@pytest.fixture
def bank(tmp_path):
    return Bank(tmp_path / "bank")


@pytest.fixture
def stored(bank, release):
    return bank.add(release)


def weights_path(bank, banked):
    return bank.files(banked)[1]


def problems(bank):
    return {finding.name: finding.problem for finding in bank.verify()}


def test_the_file_is_the_bytes_that_left_the_client(bank, release, stored):
    data = encode(release)
    assert weights_path(bank, stored).read_bytes() == data
    assert (stored.bytes, stored.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert stored.name == f"03+08-{stored.sha256[:12]}"


def test_a_release_comes_back(bank, release, stored):
    back = bank.load(stored)
    assert back.card == release.card
    for name, weight in release.released.items():
        assert torch.equal(back.released[name], weight.half())


def test_a_release_that_an_older_version_banked_is_read_and_would_not_be_taken_from_the_wire(
    bank, release, monkeypatch
):
    with monkeypatch.context() as older:
        older.setattr("common.wire.messages.PROTOCOL", "0123456789ab")
        stored = bank.add(release)
    assert bank.load(stored).card == release.card
    assert bank.verify() == ()
    with pytest.raises(WireError, match="another version of the protocol") as caught:
        decode(weights_path(bank, stored).read_bytes(), Release, LIMITS)
    assert caught.value.code is Code.PROTOCOL


def test_releases_are_listed_by_session_and_run(bank, release, stored):
    second = bank.add(another(release, session="01+02"))
    third = bank.add(another(release, run="run-2"))
    assert bank.banked("run-1") == (second, stored)
    assert sorted(one.name for one in bank.banked()) == sorted(one.name for one in (stored, second, third))
    assert bank.get(third.name) == third
    assert bank.verify() == ()


def test_a_bank_that_does_not_exist_yet_is_empty(bank):
    assert bank.banked() == bank.verify() == ()


def test_the_same_release_is_stored_once(bank, release, stored):
    assert bank.add(release) == stored
    assert len(bank.banked()) == 1


def test_a_run_has_one_release_a_session(bank, release, stored):
    with pytest.raises(UserError, match=r"has a release of 03\+08 already; remove 03\+08-\w+ first"):
        bank.add(another(release))
    assert bank.banked() == (stored,)


def test_what_is_no_release_does_not_come_in(bank, release):
    bias = torch.full_like(release.released["linears.0.bias"], float("nan"))
    with pytest.raises(WireError) as caught:
        bank.add(release.model_copy(update={"released": release.released | {"linears.0.bias": bias}}))
    assert caught.value.code is Code.NOT_FINITE
    assert bank.banked() == ()


class TestDamage:
    """What verify names, and what load refuses."""

    @pytest.mark.parametrize(
        ("damage", "problem"),
        [
            (lambda data: data[: len(data) // 2], "cut or grown"),
            (lambda data: data + b"\0", "cut or grown"),
            (lambda data: data[:-2] + b"\x00\x7e", "altered"),
            (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "altered"),
            (lambda data: b"", "cut or grown"),
        ],
        ids=["cut in half", "grown", "nan", "one bit", "empty"],
    )
    def test_weights_that_are_no_longer_those_that_came(self, bank, stored, damage, problem):
        path = weights_path(bank, stored)
        path.write_bytes(damage(path.read_bytes()))
        assert problem in problems(bank)[stored.name]
        with pytest.raises(UserError, match=problem) as caught:
            bank.load(stored)
        assert str(path) in str(caught.value)

    def test_a_nan_whose_hash_was_written_anew(self, bank, stored):
        path, card = weights_path(bank, stored), bank.files(stored)[0]
        data = path.read_bytes()[:-2] + b"\x00\x7e"
        path.write_bytes(data)
        facts = json.loads(card.read_text())
        card.write_text(json.dumps(facts | {"sha256": hashlib.sha256(data).hexdigest()}))
        assert "not-finite" in problems(bank)[stored.name]

    def test_a_card_that_tells_of_another_tuning(self, bank, stored):
        card = bank.files(stored)[0]
        card.write_text(card.read_text().replace('"run": "run-1"', '"run": "run-2"'))
        assert "something else" in problems(bank)[stored.name]

    @pytest.mark.parametrize("text", ["", "{", '{"name": "x"}'])
    def test_a_card_that_cannot_be_read(self, bank, release, stored, text):
        sound = bank.add(another(release, session="01+02"))
        bank.files(stored)[0].write_text(text)
        assert problems(bank) == {stored.name: "its card cannot be read"}
        with pytest.raises(UserError, match=f"{stored.name.replace('+', '.')}: its card cannot be read"):
            bank.banked()
        for finding in bank.verify():
            bank.put_aside(finding)
        assert bank.banked() == (sound,)

    def test_a_card_under_another_name(self, bank, stored):
        card = bank.files(stored)[0]
        card.rename(card.with_name("10+09-000000000000.json"))
        assert problems(bank) == {
            "10+09-000000000000": f"its card is that of {stored.name}",
            stored.name: "weights without a card: it was never banked",
        }

    def test_missing_weights(self, bank, stored):
        weights_path(bank, stored).unlink()
        assert "cannot read a release" in problems(bank)[stored.name]

    def test_what_a_killed_writer_left(self, bank, stored):
        (bank.folder / ".half").write_bytes(b"x")
        assert "left behind" in problems(bank)[".half"]
        assert bank.prune() == (".half",)
        assert bank.verify() == ()


class TestQuarantine:
    """What failed is kept apart, with the reason."""

    def test_a_damaged_release_is_put_aside_with_the_reason(self, bank, stored):
        weights_path(bank, stored).write_bytes(b"")
        for finding in bank.verify():
            bank.put_aside(finding)
        assert bank.banked() == bank.verify() == ()
        aside = bank.folder / "quarantine"
        assert (aside / f"{stored.name}.safetensors").exists()
        assert "cut" in json.loads((aside / f"{stored.name}.reason.json").read_text())["reason"]

    def test_an_answer_that_was_refused_is_kept_apart(self, bank):
        path = bank.reject(b"rubbish", "03+08", WireError(Code.MALFORMED, where="no header"))
        assert path.read_bytes() == b"rubbish"
        reason = json.loads((path.parent / f"{path.stem}.reason.json").read_text())["reason"]
        assert reason.startswith("malformed")
        assert bank.banked() == bank.verify() == ()

    def test_prune_empties_it(self, bank, stored):
        bank.reject(b"rubbish", "10+09", WireError(Code.MALFORMED))
        assert len(bank.prune()) == 2
        assert not (bank.folder / "quarantine").exists()
        assert bank.banked() == (stored,)


def test_removed_is_gone(bank, release, stored):
    kept = bank.add(another(release, session="01+02"))
    bank.remove(stored.name)
    assert bank.banked() == (kept,)
    assert bank.verify() == ()
    with pytest.raises(UserError, match="no such release"):
        bank.remove(stored.name)


class TestAFullDisk:
    """Nothing half-written stays."""

    @pytest.mark.parametrize("room", [1000, 50_000])
    def test_while_banking(self, bank, release, room, disk_with_room_for):
        with disk_with_room_for(room), pytest.raises(UserError, match="cannot write"):
            bank.add(release)
        assert list(bank.folder.iterdir()) == []
        assert bank.add(release)

    def test_while_writing_the_card(self, bank, release, monkeypatch):
        def full(path, data):
            raise UserError("cannot write", where=path)

        with monkeypatch.context() as patch:
            patch.setattr("server.bank.atomic_json", full)
            with pytest.raises(UserError):
                bank.add(release)
        assert list(bank.folder.iterdir()) == []

    @pytest.mark.parametrize("name", ["out", "out.zip"])
    def test_while_exporting(self, bank, stored, tmp_path, name, disk_with_room_for):
        before = sorted(tmp_path.rglob("*"))
        with disk_with_room_for(1000), pytest.raises(UserError, match=r"cannot (write|export)"):
            export(bank, tmp_path / name)
        assert sorted(tmp_path.rglob("*")) == before


class TestExport:
    """A bank for another machine."""

    @pytest.fixture
    def second(self, bank, release, stored):
        return bank.add(another(release, session="01+02"))

    def test_a_folder_is_a_bank_with_an_index(self, bank, stored, second, tmp_path):
        exported = export(bank, tmp_path / "out")
        assert exported == (second, stored)
        elsewhere = Bank(tmp_path / "out")
        assert elsewhere.banked() == exported
        assert elsewhere.verify() == ()
        index = json.loads((tmp_path / "out" / "index.json").read_text())
        assert [entry["sha256"] for entry in index["releases"]] == [second.sha256, stored.sha256]

    def test_a_zip_unpacks_to_the_same_bank(self, bank, stored, second, tmp_path):
        export(bank, tmp_path / "out.zip", [stored.name])
        with zipfile.ZipFile(tmp_path / "out.zip") as archive:
            archive.extractall(tmp_path / "unpacked")
        assert Bank(tmp_path / "unpacked").banked() == (stored,)
        assert Bank(tmp_path / "unpacked").verify() == ()

    def test_an_exported_folder_is_as_open_as_any_other(self, bank, stored, tmp_path):
        export(bank, tmp_path / "out")
        (tmp_path / "usual").mkdir()
        assert (tmp_path / "out").stat().st_mode == (tmp_path / "usual").stat().st_mode

    @pytest.mark.parametrize("name", ["out", "out.zip"])
    def test_a_target_that_cannot_be_made_is_named(self, bank, stored, tmp_path, name):
        (tmp_path / "file").write_text("")
        with pytest.raises(UserError, match=r"cannot (write|export): .*file"):
            export(bank, tmp_path / "file" / name)

    def test_a_damaged_release_is_not_exported(self, bank, stored, second, tmp_path):
        weights_path(bank, stored).write_bytes(b"")
        with pytest.raises(UserError, match="cut"):
            export(bank, tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_nothing_is_overwritten(self, bank, stored, tmp_path):
        with pytest.raises(UserError, match="exists already"):
            export(bank, tmp_path)

    def test_an_empty_bank_has_nothing_to_export(self, bank, tmp_path):
        with pytest.raises(UserError, match="nothing to export"):
            export(bank, tmp_path / "out")
