"""The manifest's identity, and what it refuses."""

from dataclasses import replace
from pathlib import Path

import pytest

from common.corpora.manifest import BadFile, Manifest, Utterance
from common.errors import UserError, UserErrors

LABELS = ("neutral", "angry")


def utterance(path: str, speaker: str = "ann", session: str = "Leeds", emotion: str | None = "angry") -> Utterance:
    return Utterance(path, speaker, session, 1.0, emotion)


def manifest(*utterances: Utterance, labels: tuple[str, ...] = LABELS) -> Manifest:
    return Manifest("mine", Path("/corpora/mine"), labels, utterances)


def test_it_tells_which_labels_it_holds():
    assert manifest(utterance("1.wav", emotion="angry"), utterance("2.wav", emotion=None)).held == (False, True)
    assert manifest(utterance("1.wav"), utterance("2.wav", emotion="neutral")).held == (True, True)


def test_speakers_in_several_sessions_are_told():
    corpus = manifest(utterance("1"), utterance("2", session="York"), utterance("3", "bob", "York"))
    assert corpus.shared_speakers() == {"ann": ("Leeds", "York")}


def test_the_same_utterance_twice_is_refused():
    with pytest.raises(UserErrors, match=r"1\.wav: stands twice"):
        manifest(utterance("1.wav"), utterance("1.wav", emotion=None))


def test_an_emotion_that_is_no_label_is_refused():
    with pytest.raises(UserErrors, match="unknown emotion 'sad': the labels are neutral, angry"):
        manifest(utterance("1", emotion="sad"))


def test_order_and_place_do_not_change_the_content():
    first, second = utterance("1"), utterance("2")
    assert manifest(first, second) == manifest(second, first)
    moved = replace(manifest(first, second), root=Path("/elsewhere"), skipped=(BadFile("3", "empty"),))
    assert moved.content_hash() == manifest(first, second).content_hash()


@pytest.mark.parametrize(
    "change",
    [
        {"path": "2"},
        {"speaker": "bob"},
        {"session": "York"},
        {"seconds": 2.0},
        {"emotion": None},
        {"sex": "male"},
        {"split": "dev"},
    ],
)
def test_every_column_is_part_of_the_content(change):
    one = utterance("1")
    assert manifest(one).content_hash() != manifest(replace(one, **change)).content_hash()


def test_what_a_corpus_lacks_does_not_rename_it():
    assert manifest(utterance("1.wav")).content_hash() == "6dc769ad9181efeb"


def test_the_label_order_is_part_of_the_content():
    one = utterance("1")
    assert manifest(one).content_hash() != manifest(one, labels=LABELS[::-1]).content_hash()
    assert [manifest(one, labels=labels).label_index(one) for labels in (LABELS, LABELS[::-1])] == [1, 0]


def test_an_unlabelled_utterance_has_no_class():
    with pytest.raises(UserError, match="an unlabelled utterance has no class: 1"):
        manifest().label_index(utterance("1", emotion=None))
