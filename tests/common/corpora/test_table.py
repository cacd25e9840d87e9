"""Tables of recordings: what they may say, and every way to get one wrong."""

import pyarrow
import pytest
from pyarrow import parquet

from common.corpora import read_corpus
from common.errors import UserError, UserErrors
from common.protocols import folds
from common.protocols.folds import FoldsConfig

WAVS = ("a/one.wav", "a/two.wav", "b/three.wav")
ROWS = """path,emotion,session,speaker,sex
a/one.wav,angry,Leeds,ann,F
a/two.wav,sad,Leeds,bob,male
b/three.wav,Happy,York,eve,
"""


@pytest.fixture
def plant_table(plant):
    def write(text: str, name: str = "mine.csv", encoding: str = "utf-8"):
        root = plant(WAVS)
        (root / name).write_text(text, encoding=encoding)
        return root

    return write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_csv_is_read_with_all_its_columns(plant_table, encoding):
    manifest = read_corpus("table", plant_table(ROWS, encoding=encoding))
    assert [(u.path, u.emotion, u.session, u.speaker, u.sex) for u in manifest.utterances] == [
        ("a/one.wav", "angry", "Leeds", "ann", "female"),
        ("a/two.wav", "sad", "Leeds", "bob", "male"),
        ("b/three.wav", "happy", "York", "eve", None),
    ]


def test_the_table_itself_may_be_the_root(plant_table):
    root = plant_table(ROWS)
    assert read_corpus("table", root / "mine.csv") == read_corpus("table", root)


def test_a_parquet_table_says_the_same_as_the_csv(plant_table, tmp_path):
    root = plant_table(ROWS)
    columns, *rows = [line.split(",") for line in ROWS.splitlines()]
    cells = [[value or None for value in column] for column in zip(*rows, strict=True)]
    parquet.write_table(pyarrow.table(dict(zip(columns, cells, strict=True))), root / "mine.parquet")
    assert read_corpus("table", root / "mine.parquet") == read_corpus("table", root / "mine.csv")


def test_numbers_in_a_parquet_table_are_names(plant):
    root = plant(WAVS)
    table = pyarrow.table({"path": list(WAVS), "emotion": ["sad"] * 3, "session": [1, 1, 2]})
    parquet.write_table(table, root / "mine.parquet")
    assert read_corpus("table", root).sessions == ("1", "2")


def test_leading_zeros_survive_in_a_csv(plant_table):
    assert read_corpus("table", plant_table("path,emotion,session\na/one.wav,sad,01\n")).sessions == ("01",)


def test_without_a_speaker_column_a_session_is_one_speaker(plant_table):
    root = plant_table("path,emotion,session\na/one.wav,sad,01\na/two.wav,sad,01\nb/three.wav,sad,02\n")
    assert read_corpus("table", root).speakers == ("01", "02")


@pytest.mark.parametrize("column", ["path", "emotion", "session"])
def test_a_missing_column_is_named(plant_table, column):
    with pytest.raises(UserError, match=rf"no column {column}: .*mine\.csv; its columns are: ") as caught:
        read_corpus("table", plant_table(ROWS.replace(column, "else", 1)))
    assert "\n" not in str(caught.value)


def test_all_missing_columns_are_named_together(plant_table):
    with pytest.raises(UserError, match=r"no column emotion and no column session: .*; its columns are: path, label"):
        read_corpus("table", plant_table("path,label\na/one.wav,sad\n"))


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("a/none.wav,sad,Leeds,bob", r"a/none\.wav: no such file"),
        ("a/two.wav,sadd,Leeds,bob", r"a/two\.wav: unknown emotion 'sadd'; known are .*neutral"),
        ("a/two.wav,,Leeds", r"a/two\.wav: no emotion in mine\.csv row 2"),
        (",sad,Leeds", r"mine\.csv row 2: no path"),
        ("a/two.wav,sad", r"a/two\.wav: no session in mine\.csv row 2"),
        ("a/two.wav,sad,Leeds,ann,x", r"a/two\.wav: unknown sex 'x' in mine\.csv row 2; write female, male"),
        ("a/../a/one.wav,angry,Leeds,bob", r"a/one\.wav: stands twice"),
    ],
)
def test_a_bad_row_is_reported_and_can_be_skipped(plant_table, row, complaint):
    root = plant_table(f"path,emotion,session,speaker,sex\na/one.wav,angry,Leeds,ann,F\n{row}\n")
    with pytest.raises(UserErrors, match=complaint) as caught:
        read_corpus("table", root)
    assert len(caught.value.problems) == 1
    manifest = read_corpus("table", root, skip_bad=True)
    assert [u.emotion for u in manifest.utterances] == ["angry"]
    assert len(manifest.skipped) == 1


def test_a_recording_with_two_labels_has_none(plant_table):
    rows = "a/one.wav,angry,Leeds\na/two.wav,sad,Leeds\na/one.wav,sad,Leeds\n"
    root = plant_table(f"path,emotion,session\n{rows}")
    with pytest.raises(UserErrors, match=r"a/one\.wav: stands twice in the corpus, as angry and as sad"):
        read_corpus("table", root)
    assert [one.path for one in read_corpus("table", root, skip_bad=True).utterances] == ["a/two.wav"]


def test_a_row_without_a_speaker_among_rows_that_have_one_is_nobody(plant_table):
    """It would count as one person more, and a policy of so many speakers would be met by fewer."""
    root = plant_table("path,emotion,session,speaker\na/one.wav,angry,Leeds,ann\na/two.wav,sad,Leeds,\n")
    with pytest.raises(UserErrors, match=r"a/two\.wav: no speaker in mine\.csv row 2"):
        read_corpus("table", root)
    assert read_corpus("table", root, skip_bad=True).speakers == ("ann",)


def test_a_column_of_empty_speakers_is_as_good_as_none(plant_table):
    root = plant_table("path,emotion,session,speaker\na/one.wav,angry,01,\na/two.wav,sad,02,\n")
    manifest = read_corpus("table", root)
    assert manifest.speakers == ("01", "02")
    assert "each session counts as one speaker" in manifest.notes[0]


def test_an_emotion_of_ones_own_can_be_chosen(plant_table):
    root = plant_table("path,emotion,session\na/one.wav,contempt,01\na/two.wav,sad,01\n")
    manifest = read_corpus("table", root, emotions=("sad", "contempt"))
    assert manifest.labels == ("sad", "contempt")
    assert len(manifest) == 2


def test_a_speaker_in_two_sessions_is_refused_for_folds(plant_table):
    manifest = read_corpus("table", plant_table(ROWS.replace("eve", "ann")))
    with pytest.raises(UserErrors, match="speaker ann is in Leeds and York"):
        folds.trials(manifest, "session", FoldsConfig())


def test_blank_lines_are_no_rows(plant_table):
    assert len(read_corpus("table", plant_table(ROWS + "\n\n"))) == 3


def test_an_absolute_path_is_taken_as_it_is(plant_table):
    root = plant_table(ROWS)
    (root / "mine.csv").write_text(f"path,emotion,session\n{root / 'a/one.wav'},sad,01\n")
    assert len(read_corpus("table", root)) == 1


def test_two_tables_in_a_folder_ask_for_a_choice(plant_table):
    root = plant_table(ROWS)
    (root / "other.csv").write_text(ROWS)
    with pytest.raises(UserError, match=r"more than one table .*one of mine\.csv, other\.csv"):
        read_corpus("table", root)


@pytest.mark.parametrize(
    ("name", "content"),
    [("mine.csv", b"path,emotion,session\n\x81\n"), ("mine.parquet", b"no table"), ("mine.csv", b'a,"')],
)
def test_a_table_that_cannot_be_read_is_one_line(plant, name, content):
    root = plant(WAVS)
    (root / name).write_bytes(content)
    with pytest.raises(UserError, match="cannot read the table") as caught:
        read_corpus("table", root)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_an_encoding_that_cannot_be_told_is_named_as_the_fault(plant_table, encoding):
    with pytest.raises(UserError, match=r"mine\.csv; its encoding is not known here; save it as UTF-8"):
        read_corpus("table", plant_table(ROWS, encoding=encoding))


def test_a_table_without_a_line_has_no_columns(plant_table):
    with pytest.raises(UserError, match="its columns are: none"):
        read_corpus("table", plant_table(""))


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_are_read(separator, plant_table):
    root = plant_table(ROWS.replace(",", separator), "other.csv")
    (root / "comma.csv").write_text(ROWS)
    assert read_corpus("table", root / "other.csv") == read_corpus("table", root / "comma.csv")


def test_what_a_spreadsheet_writes_in_windows_is_read(plant_table):
    root = plant_table(ROWS.replace("Leeds", "München"), encoding="cp1252")
    assert read_corpus("table", root).sessions == ("München", "York")


def test_columns_that_are_not_read_and_a_missing_speaker_are_told(plant_table):
    assert read_corpus("table", plant_table(ROWS) / "mine.csv").notes == ()
    text = "path,emotion,session,age\na/one.wav,sad,Leeds,7\n"
    (unread, speaker) = read_corpus("table", plant_table(text, "aged.csv") / "aged.csv").notes
    assert unread == "columns of aged.csv that are not read: age"
    assert speaker.startswith("aged.csv has no column speaker: each session counts as one speaker")


@pytest.fixture
def plant_parts(write_tone, tmp_path):
    """A second of sound, and a table of parts of it."""

    def write(*rows: str):
        write_tone(tmp_path / "corpus/a.wav", seconds=1)
        table = tmp_path / "corpus/mine.csv"
        table.write_text("\n".join(["path,start,End,emotion,session,speaker", *rows]))
        return table

    return write


def test_a_row_with_a_start_or_an_end_is_that_part_of_its_file(plant_parts):
    table = plant_parts(
        "a.wav,0,0.4,sad,Leeds,ann", "a.wav,0.4,0 days 00:00:00.700000,angry,Leeds,ann", "a.wav,0.75,,sad,Leeds,ann"
    )
    manifest = read_corpus("table", table)
    assert [(u.path, u.file, u.emotion, round(u.seconds, 9)) for u in manifest.utterances] == [
        ("a.wav#t=0,0.4", "a.wav", "sad", 0.4),
        ("a.wav#t=0.4,0.7", "a.wav", "angry", 0.3),
        ("a.wav#t=0.75", "a.wav", "sad", 0.25),
    ]


def test_empty_cells_are_the_whole_file(plant_parts):
    (utterance,) = read_corpus("table", plant_parts("a.wav,,,sad,Leeds,ann")).utterances
    assert (utterance.path, utterance.part, utterance.seconds) == ("a.wav", None, 1)


def test_times_of_a_parquet_table_are_parts(write_tone, tmp_path):
    write_tone(tmp_path / "a.wav", seconds=1)
    times = {
        "start": pyarrow.array([0, 500_000_123], "duration[ns]"),
        "end": pyarrow.array([500_000_000, None], "duration[ns]"),
    }
    table = pyarrow.table({"path": ["a.wav"] * 2, "emotion": ["sad"] * 2, "session": ["Leeds"] * 2} | times)
    parquet.write_table(table, tmp_path / "mine.parquet")
    assert [u.path for u in read_corpus("table", tmp_path).utterances] == ["a.wav#t=0,0.5", "a.wav#t=0.5"]


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (
            "a.wav,0.5,1.5,sad,Leeds,ann",
            r"a\.wav#t=0\.5,1\.5: 0\.5 to 1\.5 s is beyond the end of the file, which lasts 1\.000 s",
        ),
        (
            "a.wav,0.9,0.5,sad,Leeds,ann",
            r"a\.wav: its end \(0\.5 s\) is not after its start \(0\.9 s\) in mine\.csv row 2",
        ),
        ("a.wav,x,0.5,sad,Leeds,ann", r"a\.wav: its start 'x' is no number of seconds in mine\.csv row 2"),
        ("a.wav,0,0.10,sad,Leeds,ann", r"a\.wav#t=0,0\.1: stands twice"),
        ("a.wav,0.05,0.3,angry,Leeds,ann", r"a\.wav#t=0\.05,0\.3: overlaps a\.wav#t=0,0\.1 of the same speaker"),
    ],
)
def test_a_part_that_cannot_be_is_one_line_and_can_be_skipped(plant_parts, row, complaint):
    table = plant_parts("a.wav,0,0.1,sad,Leeds,ann", row)
    with pytest.raises(UserErrors, match=complaint) as caught:
        read_corpus("table", table)
    assert len(caught.value.problems) == 1
    assert [u.path for u in read_corpus("table", table, skip_bad=True).utterances] == ["a.wav#t=0,0.1"]


def test_two_speakers_may_speak_at_once(plant_parts):
    assert len(read_corpus("table", plant_parts("a.wav,0,0.5,sad,Leeds,ann", "a.wav,0.2,0.8,angry,Leeds,bob"))) == 2


def test_a_split_is_read_by_the_words_that_people_use(plant_table):
    rows = [
        "path,emotion,session,split",
        "a/one.wav,sad,1,Training",
        "a/two.wav,sad,2,validation",
        "b/three.wav,sad,3,",
    ]
    manifest = read_corpus("table", plant_table("\n".join(rows)))
    assert [u.split for u in manifest.utterances] == ["train", "dev", None]


def test_a_split_of_another_name_is_a_line(plant_table):
    with pytest.raises(
        UserErrors, match=r"unknown split 'fold1'; write train, dev, test or nothing in mine\.csv row 1"
    ):
        read_corpus("table", plant_table("path,emotion,session,split\na/one.wav,sad,1,fold1\n"))
