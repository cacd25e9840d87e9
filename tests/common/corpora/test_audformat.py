"""audformat databases: what their header and tables say, and every way in which one cannot be read."""

import json

import pytest

from common.corpora import read_corpus
from common.errors import UserError, UserErrors

WAVS = ("wav/a.wav", "wav/b.wav", "wav/c.wav")
HEADER = """name: calls
license: CC0-1.0
schemes:
  emotion: {dtype: str, labels: [anger, sad]}
  speaker: {dtype: int, labels: {3: {gender: male}, 8: {gender: female}}}
splits:
  train: {type: train}
  held: {type: test}
tables:
  emotion:
    type: filewise
    columns: {emotion: {scheme_id: emotion}, emotion.confidence: {}}
  files:
    type: filewise
    columns: {speaker: {scheme_id: speaker}}
"""
EMOTION = "file,emotion,emotion.confidence\nwav/a.wav,anger,0.9\nwav/b.wav,sad,1.0\nwav/c.wav,sad,\n"
FILES = "file,speaker\nwav/a.wav,3\nwav/b.wav,3\nwav/c.wav,8\n"


@pytest.fixture
def database(plant):
    """A function that makes one, of a header and tables by name."""

    def make(header=HEADER, **tables):
        root = plant(WAVS)
        (root / "db.yaml").write_text(header)
        for name, text in ({"emotion": EMOTION, "files": FILES} | tables).items():
            (root / f"db.{name.replace('__', '.')}.csv").write_text(text)
        return root

    return make


def rows(manifest):
    return [(u.path, u.emotion, u.speaker, u.session, u.sex, u.split) for u in manifest.utterances]


def test_labels_speakers_and_their_sex_come_from_tables_and_header(database):
    manifest = read_corpus("audformat", database(), anger="angry")
    assert rows(manifest) == [
        ("wav/a.wav", "angry", "3", "3", "male", None),
        ("wav/b.wav", "sad", "3", "3", "male", None),
        ("wav/c.wav", "sad", "8", "8", "female", None),
    ]
    assert manifest.notes == (
        "audformat database calls, licence CC0-1.0",
        "no table has a column session: each speaker is one",
    )


def test_a_label_that_no_map_names_is_one_line_that_tells_the_way_out(database):
    with pytest.raises(UserErrors, match="unknown emotion 'anger'") as caught:
        read_corpus("audformat", database())
    assert len(caught.value.problems) == 1
    assert "anger=angry" in str(caught.value)


def test_segmented_tables_are_parts_of_files_and_take_what_is_said_of_the_file(database):
    header = HEADER.replace("    type: filewise\n    columns: {emotion", "    type: segmented\n    columns: {emotion")
    emotion = (
        "file,start,end,emotion\nwav/a.wav,0 days,0 days 00:00:00.05,sad\nwav/a.wav,0 days 00:00:00.050000,NaT,happy\n"
    )
    emotion = emotion.replace("0 days,", "0 days 00:00:00,")
    manifest = read_corpus("audformat", database(header, emotion=emotion))
    assert [(u.path, u.emotion, u.speaker, round(u.seconds, 6)) for u in manifest.utterances] == [
        ("wav/a.wav#t=0,0.05", "sad", "3", 0.05),
        ("wav/a.wav#t=0.05", "happy", "3", 0.05),
    ]


def test_tables_of_a_split_say_which_part_a_file_is_of(database):
    tables = "".join(
        f"  emotion.{name}: {{type: filewise, split_id: {name}, columns: {{emotion: {{}}}}}}\n"
        for name in ("train", "held")
    )
    train, held = "file,emotion\nwav/a.wav,anger\nwav/b.wav,sad\n", "file,emotion\nwav/c.wav,sad\n"
    root = database(HEADER + tables, emotion__train=train, emotion__held=held)
    assert [u.split for u in read_corpus("audformat", root, anger="angry").utterances] == ["train", "train", "test"]


def test_sex_may_stand_in_a_table_of_speakers(database):
    header = HEADER.replace("{3: {gender: male}, 8: {gender: female}}", "people")
    root = database(header, people="speaker,gender\n3,female\n8,other\n")
    assert [u.sex for u in read_corpus("audformat", root, anger="angry").utterances] == ["female", "female", None]


def test_tables_that_disagree_are_a_line(database):
    header = HEADER + "  again: {type: filewise, columns: {emotion: {}}}\n"
    root = database(header, again="file,emotion\nwav/b.wav,anger\n")
    with pytest.raises(UserErrors, match=r"wav/b\.wav: its tables disagree on emotion: anger and sad"):
        read_corpus("audformat", root, anger="angry")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("name: [", "cannot read the header: .*db.yaml"),
        ("- a list", "no audformat header: .*db.yaml"),
        ("tables: 3", "tables is no list of names"),
        ("name: empty", "no table of the database has emotions: .*give one a column emotion"),
        ("!!python/object/apply:os.system ['true']", "cannot read the header"),
    ],
)
def test_a_header_that_says_no_database_is_one_line(database, header, message):
    with pytest.raises(UserError, match=message) as caught:
        read_corpus("audformat", database(header))
    assert "\n" not in str(caught.value)


def test_a_table_that_is_there_as_a_pickle_alone_is_never_opened(database):
    root = database()
    (root / "db.files.csv").rename(root / "db.files.pkl")
    with pytest.raises(UserError, match=r"no table db\.files\.csv or \.parquet: .*storage_format='csv'"):
        read_corpus("audformat", root, anger="angry")


def test_it_is_recognized_where_another_corpus_was_meant(database):
    with pytest.raises(UserError, match=r"it looks like the corpus audformat$"):
        read_corpus("emodb", database())


def test_labels_that_yaml_takes_for_other_things_do_no_harm(database):
    header = HEADER.replace("{3: {gender: male}, 8: {gender: female}}", json.dumps([3, 8]))
    assert {u.sex for u in read_corpus("audformat", database(header), anger="angry").utterances} == {None}
