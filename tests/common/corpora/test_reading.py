"""The one door to every corpus: the folder is right, all that is bad stands in one report, emotions are chosen."""

import numpy as np
import pytest
import soundfile

from common.corpora import CORPORA, builtin, corpus_root, read_corpus
from common.corpora.audio import load
from common.corpora.manifest import Manifest, Utterance
from common.errors import UserError, UserErrors

EMODB = ("wav/03a01Wa.wav", "wav/08a01Ta.wav", "wav/10a01Na.wav")
EXAMPLES = {
    "librispeech": "train-clean-100/103/1240/103-1240-0000.flac",
    "emodb": "wav/03a01Fa.wav",
    "ravdess": "Actor_01/03-01-03-01-01-01-01.wav",
    "cremad": "AudioWAV/1001_DFA_ANG_XX.wav",
}


def one_line(caught):
    assert "\n" not in str(caught.value)
    return str(caught.value)


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.fixture
def damaged(plant, write_tone):
    """Three good recordings, and one each that is truncated, empty and of zero length."""
    root = plant([*EMODB, "wav/09a01Wa.wav"])
    truncate(root / "wav/09a01Wa.wav")
    (root / "wav/11a01Wa.wav").touch()
    write_tone(root / "wav/12a01Wa.wav", seconds=0)
    return root


def test_all_bad_files_are_named_in_one_report(damaged):
    with pytest.raises(UserErrors, match="3 unusable; mend them, or go on without them with --skip-bad") as caught:
        read_corpus("emodb", damaged)
    assert [problem.split(" ")[:2] for problem in caught.value.problems] == [
        ["wav/09a01Wa.wav:", "truncated:"],
        ["wav/11a01Wa.wav:", "empty"],
        ["wav/12a01Wa.wav:", "holds"],
    ]


def test_bad_files_can_be_skipped_and_are_recorded(damaged):
    manifest = read_corpus("emodb", damaged, skip_bad=True)
    assert tuple(u.path for u in manifest.utterances) == EMODB
    assert [file.path for file in manifest.skipped] == ["wav/09a01Wa.wav", "wav/11a01Wa.wav", "wav/12a01Wa.wav"]
    assert all(file.reason for file in manifest.skipped)


def test_skipping_changes_nothing_where_all_is_well(plant):
    root = plant(EMODB)
    assert read_corpus("emodb", root, skip_bad=True) == read_corpus("emodb", root)


def test_a_corpus_of_nothing_but_bad_files_is_an_error_even_so(plant):
    root = plant(["wav/03a01Wa.wav"])
    truncate(root / "wav/03a01Wa.wav")
    with pytest.raises(UserError, match=r"no usable recording .* all 1 were unusable .* wav/03a01Wa\.wav: truncated"):
        read_corpus("emodb", root, skip_bad=True)


def test_samples_that_are_no_numbers_pass_the_index_and_fail_the_load(plant):
    root = plant(EMODB)
    soundfile.write(root / EMODB[0], np.full(100, np.nan), 16_000, subtype="FLOAT")
    assert len(read_corpus("emodb", root)) == 3
    with pytest.raises(UserError, match="NaN"):
        load(root / EMODB[0])


@pytest.mark.parametrize("name", [name for name in CORPORA.methods if name not in ("builtin", "joint")])
def test_a_missing_folder_is_one_line(tmp_path, name):
    with pytest.raises(UserError, match=r"no such folder: .*; pass --root with the folder of") as caught:
        read_corpus(name, tmp_path / "nowhere")
    one_line(caught)


@pytest.mark.parametrize("name", [name for name in CORPORA.methods if name not in ("builtin", "joint")])
def test_an_empty_folder_says_what_should_lie_there(tmp_path, name):
    with pytest.raises(UserError, match="the folder is empty") as caught:
        read_corpus(name, tmp_path)
    assert CORPORA.get(name).example in one_line(caught)


@pytest.mark.parametrize(("name", "path"), EXAMPLES.items())
def test_a_root_one_level_too_high_or_too_low_is_put_right(plant, name, path):
    root = plant([path])
    for wrong in (root.parent, root / path.split("/")[0]):
        with pytest.raises(UserError, match="did you mean --root") as caught:
            read_corpus(name, wrong)
        assert one_line(caught).endswith(f"--root {root}?")
    assert len(read_corpus(name, root)) == 1


def test_an_iemocap_root_one_level_too_high_is_put_right(tmp_path):
    (tmp_path / "IEMOCAP/Session1/dialog/EmoEvaluation").mkdir(parents=True)
    (tmp_path / "IEMOCAP/Session1/dialog/EmoEvaluation/Ses01F_impro01.txt").touch()
    with pytest.raises(UserError, match=r"this is not IEMOCAP: .*; did you mean --root .*/IEMOCAP\?"):
        read_corpus("iemocap", tmp_path)


@pytest.mark.parametrize(("there", "path"), EXAMPLES.items())
@pytest.mark.parametrize("wanted", [name for name in CORPORA.methods if name not in ("builtin", "joint", "files")])
def test_another_corpus_in_the_folder_is_recognized(plant, there, path, wanted):
    if wanted == there:
        return
    with pytest.raises(UserError, match=f"this is not .*; it looks like the corpus {there}$") as caught:
        read_corpus(wanted, plant([path]))
    one_line(caught)


def test_a_file_is_the_root_of_a_table_only(plant):
    root = plant(EMODB)
    with pytest.raises(UserError, match="this is not EMO-DB"):
        read_corpus("emodb", root / EMODB[0])


def test_an_unknown_corpus_is_told_which_there_are(tmp_path):
    with pytest.raises(UserError, match=r"no such corpus: berlin; there are librispeech, .*, joint, builtin"):
        read_corpus("berlin", tmp_path)


def test_all_mistaken_options_are_named_together(plant):
    with pytest.raises(UserErrors) as caught:
        read_corpus("librispeech", plant([EXAMPLES["librispeech"]]), subset="train", dialogs="all")
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["subset=train", "dialogs"]
    assert "train-clean-100" in caught.value.problems[0]


def test_the_chosen_emotions_are_the_labels_in_their_order(plant):
    manifest = read_corpus("emodb", plant(EMODB), emotions=("sad", "neutral"))
    assert manifest.labels == ("sad", "neutral")
    assert [u.emotion for u in manifest.utterances] == ["sad", "neutral"]
    assert manifest.left_out == {"angry": 1}


def test_an_emotion_that_the_corpus_cannot_have_is_a_slip(plant):
    with pytest.raises(UserError, match="emodb has no emotion: angri; it knows neutral, angry"):
        read_corpus("emodb", plant(EMODB), emotions=("neutral", "angri"))


def test_an_emotion_that_the_corpus_merely_lacks_is_none(plant):
    assert len(read_corpus("emodb", plant(EMODB), emotions=("neutral", "happy"))) == 1


def test_a_corpus_without_any_chosen_emotion_says_which_it_has(plant):
    with pytest.raises(UserError, match=r"there are other emotions: angry \(1\), sad \(1\), neutral \(1\)"):
        read_corpus("emodb", plant(EMODB), emotions=("happy", "bored"))


def test_recordings_of_other_emotions_are_not_looked_at(plant):
    root = plant(EMODB)
    truncate(root / "wav/08a01Ta.wav")
    assert len(read_corpus("emodb", root, emotions=("neutral", "angry"))) == 2


def test_progress_is_told_of_every_recording(plant):
    told = []
    read_corpus("emodb", plant(EMODB), progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_seconds_come_from_the_header(plant, write_tone):
    root = plant(EMODB)
    write_tone(root / EMODB[1], seconds=0.25, rate=44_100, channels=2)
    assert [u.seconds for u in read_corpus("emodb", root).utterances] == [0.1, 0.25, 0.1]


def test_the_builtin_corpus_lies_in_the_cache_and_others_where_they_are_said_to(tmp_path):
    assert corpus_root("builtin", "", tmp_path) == tmp_path / "corpora" / "builtin"
    assert corpus_root("builtin", tmp_path / "mine", tmp_path) == corpus_root("emodb", tmp_path / "mine", tmp_path)
    with pytest.raises(UserError, match="a corpus needs its folder: emodb; pass --root"):
        corpus_root("emodb", None, tmp_path)


def test_the_builtin_corpus_is_read_like_any_other_once_it_is_made(tmp_path, write_tone, monkeypatch):
    def make(root, progress=None):
        paths = [write_tone(root / f"{emotion}.wav").name for emotion in ("angry", "sad")]
        utterances = tuple(Utterance(path, "ann", "Session1", 0.1, path[:-4], "female") for path in paths)
        return Manifest("builtin", root, ("neutral", "angry", "sad", "happy"), utterances)

    monkeypatch.setattr(builtin, "generate", make)
    assert read_corpus("builtin", tmp_path / "new") == make(tmp_path / "new")
    assert read_corpus("builtin", tmp_path / "new", emotions=("sad", "happy")).left_out == {"angry": 1}
