"""CREMA-D's layout and its traps, on small trees."""

import pytest

from common.corpora import CORPORA, read_corpus
from common.corpora.cremad import LAYOUT
from common.errors import UserErrors

PATHS = [f"AudioWAV/{actor}_DFA_{code}_XX.wav" for actor in (1001, 1002) for code in ("ANG", "DIS", "FEA")]


def test_each_actor_is_a_session(plant):
    manifest = read_corpus("cremad", plant(PATHS))
    assert manifest.sessions == manifest.speakers == ("1001", "1002")
    assert {u.emotion for u in manifest.utterances} == {"angry"}
    assert {u.sex for u in manifest.utterances} == {None}
    assert manifest.left_out == {"disgusted": 2, "fearful": 2}


def test_all_six_emotions_are_known(plant):
    paths = [f"AudioWAV/1001_IEO_{code}_HI.wav" for code in ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")]
    manifest = read_corpus("cremad", plant(paths), emotions=LAYOUT.emotions)
    assert [u.emotion for u in manifest.utterances] == ["angry", "disgusted", "fearful", "happy", "neutral", "sad"]


def test_sex_comes_from_the_corpuss_own_demographics(plant):
    root = plant(PATHS)
    (root / "VideoDemographics.csv").write_text(
        "ActorID,Age,Sex,Race,Ethnicity\n1001,51,Male,Caucasian,Not Hispanic\n1002,21,Female,Caucasian,Not Hispanic\n"
    )
    assert {u.speaker: u.sex for u in read_corpus("cremad", root).utterances} == {"1001": "male", "1002": "female"}


def test_the_clip_that_was_published_without_audio_is_no_error(plant):
    root = plant(PATHS)
    (root / "AudioWAV/1076_MTI_SAD_XX.wav").touch()
    assert len(read_corpus("cremad", root)) == 2


def test_the_one_level_of_a_single_letter_is_known(plant):
    assert len(read_corpus("cremad", plant(["AudioWAV/1040_ITH_SAD_X.wav"]))) == 1


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("1001_DFA_JOY_XX", "unknown emotion 'JOY'; known are NEU"), ("1001", "not named as CREMA-D")],
)
def test_a_name_that_makes_no_sense_is_reported(plant, name, complaint):
    with pytest.raises(UserErrors, match=f"{name}.wav: {complaint}"):
        read_corpus("cremad", plant([*PATHS, f"AudioWAV/{name}.wav"]))


def test_what_nobody_could_read_is_not_claimed_to_be_a_licence():
    """CREMA-D's lies in its repository; the other two are given to whoever signs."""
    licences = {name: layout.licence for name, layout in CORPORA.methods.items()}
    assert "Open Database License" in licences["cremad"]
    assert "Database Contents License" in licences["cremad"]
    for name in ("iemocap", "mspimprov"):
        assert licences[name].startswith("see the corpus' own terms")
