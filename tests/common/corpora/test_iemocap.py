"""IEMOCAP's layout and its traps, on small trees."""

import pytest

from common.corpora import read_corpus
from common.errors import UserErrors

HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"


def block(turn: str, code: str) -> str:
    """One turn as the corpus has it: the summary, then the raters' lines."""
    return (
        f"[6.2901 - 8.2357]\t{turn}\t{code}\t[2.5000, 2.5000, 2.5000]\n"
        "C-E2:\tNeutral;\t()\nC-E4:\tAnger;\t()\nC-M1:\tSadness; Frustration;\t()\n"
        "A-E3:\tval 3; act 2; dom  2;\t()\nA-F1:\tval 3; act 2; dom  1;\t()\n\n"
    )


@pytest.fixture
def plant_iemocap(plant):
    """A tree with a turn for each (name, code), labelled and recorded."""

    def write(*turns: tuple[str, str]):
        dialogs: dict[str, list[tuple[str, str]]] = {}
        for turn, code in turns:
            dialogs.setdefault(turn.rpartition("_")[0], []).append((turn, code))
        place = {name: f"Session{name[4]}" for name in dialogs}
        root = plant(f"{place[name]}/sentences/wav/{name}/{t}.wav" for name, ts in dialogs.items() for t, _ in ts)
        for name, labelled in dialogs.items():
            folder = root / place[name] / "dialog" / "EmoEvaluation"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.txt").write_text(HEADER + "".join(block(*turn) for turn in labelled))
        return root

    return write


FIVE = [(f"Ses0{k}F_impro01_{sex}00{k}", "neu") for k in range(1, 6) for sex in "FM"]


def test_five_sessions_of_two_speakers(plant_iemocap):
    manifest = read_corpus("iemocap", plant_iemocap(*FIVE))
    assert manifest.sessions == tuple(f"Session{k}" for k in range(1, 6))
    assert len(manifest.speakers) == len(manifest) == 10
    assert all(u.session[-1] == u.speaker[4] for u in manifest.utterances)


def test_the_speaker_is_in_the_last_field_of_the_turn_not_in_the_dialogs_name(plant_iemocap):
    root = plant_iemocap(
        ("Ses01F_impro01_M003", "ang"), ("Ses01F_impro01_F000", "ang"), ("Ses01M_script01_1b_MXX0", "sad")
    )
    found = {u.path.rpartition("/")[2]: (u.speaker, u.sex) for u in read_corpus("iemocap", root).utterances}
    assert found == {
        "Ses01F_impro01_F000.wav": ("Ses01F", "female"),
        "Ses01F_impro01_M003.wav": ("Ses01M", "male"),
        "Ses01M_script01_1b_MXX0.wav": ("Ses01M", "male"),
    }


def test_excited_counts_as_happy(plant_iemocap):
    manifest = read_corpus("iemocap", plant_iemocap(("Ses01F_impro01_M003", "exc"), ("Ses01F_impro01_F000", "hap")))
    assert [u.emotion for u in manifest.utterances] == ["happy", "happy"]


def test_raters_lines_add_nothing(plant_iemocap):
    assert len(read_corpus("iemocap", plant_iemocap(("Ses01F_impro01_M003", "ang")))) == 1


def test_other_emotions_are_left_out_and_counted_and_need_no_recording(plant_iemocap):
    root = plant_iemocap(("Ses01F_impro01_M003", "ang"), ("Ses01F_impro01_M004", "fru"), ("Ses01F_impro01_M005", "xxx"))
    (root / "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M005.wav").unlink()
    manifest = read_corpus("iemocap", root)
    assert len(manifest) == 1
    assert manifest.left_out == {"frustrated": 1, "no agreement": 1}


def test_a_macs_hidden_files_are_passed_over(plant_iemocap):
    root = plant_iemocap(("Ses01F_impro01_M003", "ang"))
    labels = root / "Session1/dialog/EmoEvaluation"
    (labels / "._Ses01F_impro01.txt").write_bytes(b"\0\5\26\7" + b"\xff" * 40)
    (root / "Session1/sentences/wav/Ses01F_impro01/._Ses01F_impro01_M003.wav").write_bytes(b"\0\5\26\7")
    (labels / "Categorical").mkdir()
    (labels / "Categorical/Ses01F_impro01_e2_cat.txt").write_text("Ses01F_impro01_M003 :Neutral state; ()\n")
    assert len(read_corpus("iemocap", root)) == 1


@pytest.mark.parametrize(("dialogs", "count"), [("all", 3), ("improvised", 1), ("scripted", 2)])
def test_improvised_and_scripted_dialogs_are_selectable(plant_iemocap, dialogs, count):
    root = plant_iemocap(
        ("Ses01F_impro01_M003", "ang"), ("Ses01F_script01_1_M003", "ang"), ("Ses02F_script02_2_F003", "sad")
    )
    assert len(read_corpus("iemocap", root, dialogs=dialogs)) == count


def test_a_labelled_turn_without_a_recording_is_reported(plant_iemocap):
    root = plant_iemocap(("Ses01F_impro01_M003", "ang"), ("Ses01F_impro01_M004", "ang"))
    (root / "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M004.wav").unlink()
    with pytest.raises(UserErrors, match=r"Ses01F_impro01_M004\.wav: no such file"):
        read_corpus("iemocap", root)


def test_an_unknown_code_is_reported_with_its_turn_and_the_known_ones(plant_iemocap):
    root = plant_iemocap(("Ses01F_impro01_M003", "ang"), ("Ses01F_impro01_M004", "joy"))
    with pytest.raises(
        UserErrors, match=r"impro01\.txt: unknown emotion 'joy' of turn Ses01F_impro01_M004; known are neu"
    ):
        read_corpus("iemocap", root)


def test_a_turn_with_a_strange_name_is_reported(plant_iemocap):
    root = plant_iemocap(("Ses01F_impro01_M003", "ang"))
    table = root / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    table.write_text(table.read_text() + block("Ses01F_impro01", "ang"))
    with pytest.raises(UserErrors, match="turn 'Ses01F_impro01' is not named as IEMOCAP"):
        read_corpus("iemocap", root)
