"""RAVDESS's layout and its traps, on small trees."""

import pytest

from common.corpora import read_corpus
from common.corpora.ravdess import LAYOUT
from common.errors import UserErrors

CODES = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgusted",
    "08": "surprised",
}


def name(actor: int, code: str = "05", modality: str = "03", channel: str = "01") -> str:
    return f"Actor_{actor:02}/{modality}-{channel}-{code}-01-02-01-{actor:02}.wav"


def test_twenty_four_actors_make_twelve_sessions_of_a_man_and_a_woman(plant):
    manifest = read_corpus("ravdess", plant(name(actor) for actor in range(1, 25)))
    assert manifest.sessions[0] == "01+02"
    assert manifest.sessions[-1] == "23+24"
    for session in manifest.sessions:
        pair = {u.speaker: u.sex for u in manifest.utterances if u.session == session}
        man, woman = session.split("+")
        assert pair == {man: "male", woman: "female"}


def test_all_eight_emotions_are_known(plant):
    manifest = read_corpus("ravdess", plant(name(1, code) for code in CODES), emotions=LAYOUT.emotions)
    assert [u.emotion for u in manifest.utterances] == list(CODES.values())


def test_calm_is_not_neutral(plant):
    manifest = read_corpus("ravdess", plant([name(1, "01"), name(1, "02")]))
    assert [u.emotion for u in manifest.utterances] == ["neutral"]
    assert manifest.left_out == {"calm": 1}


def test_songs_video_and_a_second_copy_below_are_passed_over(plant):
    root = plant([name(1), name(1, channel="02"), name(1, modality="01"), f"audio_speech_actors_01-24/{name(1)}"])
    (root / "Actor_01/02-01-05-01-02-01-01.mp4").write_bytes(b"video")
    assert [u.path for u in read_corpus("ravdess", root).utterances] == [name(1)]


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        (name(1, "09"), r"unknown emotion '09'; known are 01 \(neutral\)"),
        (name(25), "unknown actor 25; known are 01 to 24"),
        ("Actor_01/hello.wav", "not named as RAVDESS"),
    ],
)
def test_a_name_that_makes_no_sense_is_reported(plant, path, complaint):
    with pytest.raises(UserErrors, match=f"{path}: {complaint}"):
        read_corpus("ravdess", plant([name(1), path]))
