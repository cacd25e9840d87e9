"""LibriSpeech's layout and its traps, on small trees."""

import pytest

from common.corpora import read_corpus
from common.errors import UserError, UserErrors

PATHS = (
    "train-clean-100/103/1240/103-1240-0000.flac",
    "train-clean-100/103/1240/103-1240-0001.flac",
    "train-clean-360/14/208/14-208-0000.flac",
)


def test_speakers_are_sessions_and_there_are_no_emotions(plant):
    manifest = read_corpus("librispeech", plant(PATHS))
    assert [(u.path, u.speaker, u.session, u.emotion) for u in manifest.utterances] == [
        (path, path.split("/")[1], path.split("/")[1], None) for path in PATHS
    ]


def test_a_subset_is_selectable(plant):
    manifest = read_corpus("librispeech", plant(PATHS), subset="train-clean-360")
    assert manifest.speakers == ("14",)


def test_a_subset_that_is_not_there_is_named(plant):
    with pytest.raises(UserError, match="none fits subset=dev-other"):
        read_corpus("librispeech", plant(PATHS), subset="dev-other")


def test_sex_comes_from_the_speakers_table(plant):
    root = plant(PATHS)
    (root / "SPEAKERS.TXT").write_text(
        ";ID  |SEX| SUBSET           |MINUTES| NAME\n; the LibriVox database\n"
        "14   | F | train-clean-360  | 25.03 | Kristin LeMoine\n103  | F | train-clean-100  | 30.1 | Karen | Savage\n"
        "16   | M | train-clean-360  | 25.11 | Alys\n"
    )
    assert {u.sex for u in read_corpus("librispeech", root).utterances} == {"female"}


def test_transcripts_and_hidden_files_are_passed_over(plant):
    root = plant(PATHS)
    chapter = root / "train-clean-100/103/1240"
    (chapter / "103-1240.trans.txt").write_text("103-1240-0000 CHAPTER ONE\n")
    (chapter / "._103-1240-0000.flac").write_bytes(b"\0")
    assert len(read_corpus("librispeech", root)) == 3


@pytest.mark.parametrize("name", ["103/1240/104-1240-0000.flac", "103/1240/103-1240-1.flac"])
def test_a_file_that_is_not_named_after_its_folders_is_reported(plant, name):
    with pytest.raises(UserErrors, match=f"{name}: not named"):
        read_corpus("librispeech", plant([*PATHS, f"train-clean-100/{name}"]))
