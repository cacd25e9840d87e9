"""A pattern of the user's says what each place in a path means."""

import pytest

from common.corpora import read_corpus
from common.errors import UserError, UserErrors

LETTERS = {"a": "angry", "sa": "sad", "h": "happy", "n": "neutral"}


def read(root, pattern, **options):
    return read_corpus("files", root, options={"pattern": pattern, **options})


@pytest.mark.parametrize(
    ("paths", "pattern", "found"),
    [
        (["DC/a01.wav", "JE/sa12.wav"], "{speaker}/{emotion}{number}", [("DC", "DC", "a"), ("JE", "JE", "sa")]),
        (["OAF_h/OAF_back_h.wav"], "{}/{speaker}_{}_{emotion}", [("OAF", "OAF", "h")]),
        (["Sad/x.FLAC".lower()], "{emotion}/{}", [("all", "all", "sad")]),
        (["s1/ann/sad/1.mp3"], "{session}/{speaker}/{emotion}/{}", [("ann", "s1", "sad")]),
        (["03a01ha.wav", "08b10ab.wav"], "{speaker:2}{:3}{emotion:1}{}", [("03", "03", "h"), ("08", "08", "a")]),
        (["ann/ann-sad.wav"], "{speaker}/{speaker}-{emotion}", [("ann", "ann", "sad")]),
    ],
    ids=["letters and digits", "folders that say it twice", "emotions alone", "sessions", "widths", "one place twice"],
)
def test_a_path_tells_who_speaks_where_and_how(plant, paths, pattern, found):
    manifest = read(plant(paths), pattern, a="angry", h="happy", sa="sad")
    told = {"angry": "a", "happy": "h", "sad": found[0][2] if found[0][2] == "sad" else "sa"}
    assert [(one.speaker, one.session, told[one.emotion]) for one in manifest.utterances] == found


def test_capitals_of_a_label_make_no_difference(plant):
    assert read(plant(["ann/SAD1.wav"]), "{speaker}/{emotion}{number}").utterances[0].emotion == "sad"


def test_a_path_that_does_not_fit_is_named_and_what_is_no_sound_is_passed_over(plant):
    root = plant(["ann/sad_1.wav", "ann/readme.wav"])
    (root / "ann" / "notes.txt").write_text("words")
    with pytest.raises(UserErrors, match=r"ann/readme\.wav: its path does not fit the pattern"):
        read(root, "{speaker}/{emotion}_{number}")
    assert len(read_corpus("files", root, options={"pattern": "{speaker}/{emotion}_{number}"}, skip_bad=True)) == 1


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("", "nobody said what the paths mean"),
        ("{speaker}/{}", "emotion is needed"),
        ("{speeker}/{emotion}", "no such place: speeker"),
        ("{speaker:0}/{emotion}", "a pattern that cannot be read"),
        ("{speaker:9999999999}/{emotion}", "a pattern that cannot be read"),
        ("{speaker/{emotion}", "a pattern that cannot be read"),
    ],
)
def test_a_pattern_that_says_nothing_is_refused_with_an_example(plant, pattern, problem):
    with pytest.raises(UserError, match=problem) as refused:
        read(plant(["ann/sad.wav"]), pattern)
    assert "--option 'pattern={speaker}/{emotion}_{}'" in str(refused.value)


def test_signs_that_mean_something_to_an_expression_are_plain_signs(plant):
    root = plant(["a.b/sad (1).wav", "axb/sad (1).wav"])
    with pytest.raises(UserErrors, match=r"axb/sad \(1\)\.wav: its path does not fit"):
        read(root, "a.b/{emotion} ({number})")


def test_what_lies_in_a_hidden_folder_is_passed_over(plant):
    root = plant(["ann/sad_1.wav", ".Trash/sad_2.wav", "ann/.old/sad_3.wav"])
    assert [one.path for one in read(root, "{speaker}/{emotion}_{number}").utterances] == ["ann/sad_1.wav"]


def test_letters_with_accents_are_the_same_however_a_disk_spells_them(plant):
    """Folders of a Mac spell one letter as two signs, and what is typed spells it as one."""
    root = plant(["Jo\u0308/a\u0308rger-1.wav", "J\u00f6/\u00e4rger-2.wav"])
    manifest = read(root, "{speaker:2}/{emotion}-{number}", **{"\u00e4rger": "angry"})
    assert (manifest.speakers, manifest.counts[1]) == (("J\u00f6",), 2)
