"""EMO-DB's layout and its traps, on small trees."""

import pytest

from common.corpora import read_corpus
from common.corpora.emodb import LAYOUT
from common.errors import UserErrors

SPEAKERS = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")


def test_ten_speakers_make_five_sessions_of_a_man_and_a_woman(plant):
    manifest = read_corpus("emodb", plant(f"wav/{speaker}a01Wa.wav" for speaker in SPEAKERS))
    assert manifest.sessions == ("03+08", "10+09", "11+13", "12+14", "15+16")
    for session in manifest.sessions:
        pair = [u for u in manifest.utterances if u.session == session]
        assert {u.speaker for u in pair} == set(session.split("+"))
        assert {u.sex for u in pair} == {"female", "male"}


@pytest.mark.parametrize(
    ("letter", "emotion"),
    [
        ("W", "angry"),
        ("L", "bored"),
        ("E", "disgusted"),
        ("A", "fearful"),
        ("F", "happy"),
        ("T", "sad"),
        ("N", "neutral"),
    ],
)
def test_all_seven_emotions_are_known(plant, letter, emotion):
    manifest = read_corpus("emodb", plant([f"wav/03a01{letter}b.wav"]), emotions=LAYOUT.emotions)
    assert manifest.utterances[0].emotion == emotion


def test_emotions_that_are_not_chosen_are_left_out_and_counted(plant):
    root = plant(["wav/03a01Wa.wav", "wav/03a01La.wav", "wav/08b02La.wav", "wav/03a01Ea.wav"])
    manifest = read_corpus("emodb", root)
    assert [u.path for u in manifest.utterances] == ["wav/03a01Wa.wav"]
    assert manifest.left_out == {"bored": 2, "disgusted": 1}


def test_the_version_letter_may_be_missing(plant):
    assert len(read_corpus("emodb", plant(["wav/03a01W.wav"]))) == 1


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("03a01Xa", r"03a01Xa.wav: unknown emotion 'X'; known are N \(neutral\), W \(angry\), .*L \(bored\)"),
        ("04a01Wa", "04a01Wa.wav: unknown speaker 04; known are 03, 08"),
        ("nonsense", "nonsense.wav: not named as EMO-DB"),
    ],
)
def test_a_name_that_makes_no_sense_is_reported_with_what_is_known(plant, name, complaint):
    with pytest.raises(UserErrors, match=complaint):
        read_corpus("emodb", plant(["wav/03a01Wa.wav", f"wav/{name}.wav"]))
