"""Hugging Face audio folders: metadata beside files, whatever its columns are called."""

import json

import pyarrow
import pytest
from pyarrow import parquet

from common.corpora import read_corpus
from common.errors import UserError, UserErrors

CSV = "file_name,label,speaker_id,gender,transcription\na.wav,Sad,ann,F,hello\nb/c.wav,angry,bob,male,bye\n"
FOUND = [("a.wav", "sad", "ann", "ann", "female"), ("b/c.wav", "angry", "bob", "bob", "male")]


@pytest.fixture
def folder(plant):
    return plant(("a.wav", "b/c.wav"))


def rows(manifest):
    return [(u.path, u.emotion, u.speaker, u.session, u.sex) for u in manifest.utterances]


def test_metadata_in_a_table_is_read_and_unread_columns_are_told(folder):
    (folder / "metadata.csv").write_text(CSV)
    manifest = read_corpus("audiofolder", folder)
    assert rows(manifest) == FOUND
    assert manifest.notes == ("read metadata.csv; columns that are not read: transcription",)


def test_metadata_in_lines_of_json_and_in_parquet_say_the_same(folder):
    columns, *lines = [line.split(",") for line in CSV.splitlines()]
    items = [dict(zip(columns, line, strict=True)) for line in lines]
    (folder / "metadata.jsonl").write_text(
        "\n".join(json.dumps(item | {"file_name": item["file_name"]}) for item in items)
    )
    assert rows(read_corpus("audiofolder", folder)) == FOUND
    (folder / "metadata.jsonl").unlink()
    parquet.write_table(pyarrow.Table.from_pylist(items), folder / "metadata.parquet")
    assert rows(read_corpus("audiofolder", folder)) == FOUND


def test_folders_named_as_parts_of_a_split_are_its_parts(plant):
    root = plant(("data/train/a.wav", "data/validation/a.wav", "data/test/a.wav"))
    for name in ("train", "validation", "test"):
        (root / f"data/{name}/metadata.csv").write_text(f"file_name,emotion,speaker\na.wav,sad,{name}\n")
    found = {u.path: u.split for u in read_corpus("audiofolder", root).utterances}
    assert found == {"data/train/a.wav": "train", "data/validation/a.wav": "dev", "data/test/a.wav": "test"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "file_name,text\na.wav,hello\n",
            r"no column emotion or label: .*metadata\.csv; its columns are: file_name, text",
        ),
        ("file_name,label\na.wav,sad\n", "no column speaker and no column session: .*add one"),
        ('file_name,"', "cannot read the table: .*metadata.csv"),
    ],
)
def test_metadata_that_says_too_little_is_one_line(folder, text, message):
    (folder / "metadata.csv").write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        read_corpus("audiofolder", folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[]", "3"])
def test_lines_that_are_no_items_are_one_line(folder, text):
    (folder / "metadata.jsonl").write_text(text)
    with pytest.raises(UserError, match=r"cannot read the metadata: .*metadata.jsonl"):
        read_corpus("audiofolder", folder)


def test_a_file_that_is_not_there_is_a_line(folder):
    (folder / "metadata.csv").write_text("file_name,label,speaker\nz.wav,sad,ann\n")
    with pytest.raises(UserErrors, match=r"z\.wav: no such file"):
        read_corpus("audiofolder", folder)
