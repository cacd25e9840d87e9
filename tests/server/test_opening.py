"""A bank is opened by its folder or its zip file; whatever else a person names is one line that helps."""

import zipfile

import pytest

from common.errors import UserError
from server.bank import Bank
from server.export import export
from server.opening import is_bank, opened_bank


@pytest.fixture
def bank(tmp_path, release):
    bank = Bank(tmp_path / "run" / "bank")
    bank.add(release)
    return bank


@pytest.fixture
def archive(bank, tmp_path):
    export(bank, tmp_path / "bank.zip")
    return tmp_path / "bank.zip"


def refusal(place, **how):
    with pytest.raises(UserError) as caught, opened_bank(place, **how):
        pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


def packed(path, *members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def test_a_folder_and_a_zip_file_are_the_same_bank(bank, archive):
    with opened_bank(bank.folder) as one, opened_bank(archive) as other:
        (banked,) = one.banked()
        assert other.banked() == (banked,)
        assert other.load(banked).card == one.load(banked).card
        unpacked = other.folder
    assert not unpacked.exists()


def test_a_zip_of_the_folder_is_a_bank_too(bank, tmp_path):
    members = [(f"bank/{path.name}", path.read_bytes()) for path in bank.folder.iterdir()]
    with opened_bank(packed(tmp_path / "own.zip", *members, ("__MACOSX/._a.json", b"x"))) as opened:
        assert opened.banked() == bank.banked()
        assert opened.verify() == ()


def test_no_name_in_a_zip_leads_out_of_it(bank, tmp_path):
    members = [(f"../../{path.name}", path.read_bytes()) for path in bank.folder.iterdir()]
    with opened_bank(packed(tmp_path / "sly.zip", *members)) as opened:
        assert opened.banked() == bank.banked()
        assert {path.parent for path in opened.folder.rglob("*")} == {opened.folder}


def test_an_empty_folder_is_an_empty_bank(tmp_path):
    with opened_bank(tmp_path) as opened:
        assert opened.banked() == ()


def test_a_run_says_where_its_bank_is(bank):
    run = bank.folder.parent
    (run / "config.toml").touch()
    assert refusal(run).endswith(f"it holds no release: {run}; did you mean {bank.folder}?")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda folder: folder / "nowhere", "no such bank: "),
        (lambda folder: folder / "nowhere.zip", "no such bank: "),
        (lambda folder: (folder / "notes.txt").parent, "not a bank: it holds no release: "),
        (lambda folder: folder / "notes.txt", "a file, not a bank: "),
        (lambda folder: packed(folder / "empty.zip"), "a zip file without releases: "),
        (lambda folder: packed(folder / "other.zip", ("a.wav", b"sound")), "a zip file without releases: "),
    ],
    ids=["nowhere", "no zip", "another folder", "another file", "empty zip", "another zip"],
)
def test_what_is_no_bank_is_one_line(made, said, tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    assert refusal(made(tmp_path)).startswith(said)


@pytest.mark.parametrize("kept", [4, 1000, -100])
def test_a_cut_zip_is_one_line(archive, kept):
    archive.write_bytes(archive.read_bytes()[:kept])
    assert refusal(archive).startswith(f"a zip file that is cut or damaged: {archive}; fetch it again")


def test_a_damaged_zip_is_one_line(archive):
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 1
    archive.write_bytes(data)
    assert refusal(archive).startswith("cannot read the zip file: ")


def test_a_zip_file_is_not_opened_to_be_changed(archive):
    assert "a bank in a zip file is only read" in refusal(archive, to_change=True)


def test_a_bank_is_told_from_pre_trained_networks(bank, archive, pretrained_folder):
    assert is_bank(bank.folder)
    assert is_bank(archive)
    assert not is_bank(pretrained_folder)
    assert not is_bank(next(bank.folder.glob("*.safetensors")))
