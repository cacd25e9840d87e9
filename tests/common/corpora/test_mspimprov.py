"""MSP-IMPROV's layout and its traps, on small trees."""

import pytest

from common.corpora import read_corpus
from common.errors import UserErrors

TURNS = {"S01A-F01-P-FM01": "N", "S01A-F01-S-MF02": "A", "S08H-M06-R-MM01": "H", "S02S-M02-T-MF03": "S"}


@pytest.fixture
def plant_improv(plant):
    """A tree with a turn for each name and letter; the table has raters' lines as the corpus has them."""

    def write(turns: dict[str, str], table: str = "Evaluation.txt", below: str = ""):
        folders = {turn: turn.split("-") for turn in turns}
        root = plant(
            f"{below}session{speaker[-1]}/{scene}/{kind}/MSP-IMPROV-{turn}.wav"
            for turn, (scene, speaker, kind, _) in folders.items()
        )
        (root / table).write_text(
            "".join(
                f"UTD-IMPROV-{turn}.avi; {letter}; A:2.200000; V:NaN; D:3.000000 ; N:3.400000;\n"
                "AKS-1; Happy; Happy,Excited; A:2.000000; V:4.000000; D:NaN; N:4.000000;\n\n"
                for turn, letter in turns.items()
            )
        )
        return root

    return write


def test_a_turn_tells_its_session_speaker_and_sex(plant_improv):
    manifest = read_corpus("mspimprov", plant_improv(TURNS))
    assert [(u.session, u.speaker, u.sex, u.emotion) for u in manifest.utterances] == [
        ("session1", "F01", "female", "neutral"),
        ("session1", "F01", "female", "angry"),
        ("session2", "M02", "male", "sad"),
        ("session6", "M06", "male", "happy"),
    ]


@pytest.mark.parametrize(("table", "below"), [("Evalution.txt", ""), ("Evaluation.txt", "Audio/")])
def test_the_releases_own_spelling_and_audio_folder_are_known(plant_improv, table, below):
    assert len(read_corpus("mspimprov", plant_improv(TURNS, table, below))) == 4


def test_turns_of_other_emotions_and_without_agreement_are_left_out(plant_improv):
    manifest = read_corpus("mspimprov", plant_improv(TURNS | {"S03A-F03-P-FM01": "O", "S03A-F03-P-FM02": "X"}))
    assert len(manifest) == 4
    assert manifest.left_out == {"other": 1, "no agreement": 1}


def test_a_labelled_turn_without_a_recording_is_reported(plant_improv):
    root = plant_improv(TURNS)
    (root / "session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav").unlink()
    with pytest.raises(UserErrors, match=r"FM01\.wav: no such file"):
        read_corpus("mspimprov", root)


@pytest.mark.parametrize(
    ("turn", "letter", "complaint"),
    [
        ("S01A-F01-P-FM09", "Q", r"unknown emotion 'Q' of turn S01A-F01-P-FM09; known are N \(neutral\)"),
        ("S01A-F09-P-FM09", "A", "turn 'S01A-F09-P-FM09' is not named as MSP-IMPROV"),
    ],
)
def test_a_label_that_makes_no_sense_is_reported(plant_improv, turn, letter, complaint):
    with pytest.raises(UserErrors, match=f"Evaluation.txt: {complaint}"):
        read_corpus("mspimprov", plant_improv(TURNS | {turn: letter}))
