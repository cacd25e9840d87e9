"""The manifest's identity, and folds that no speaker crosses."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.corpora.manifest import BadFile, Fold, Manifest, Utterance, leave_one_out
from common.errors import UserError, UserErrors

LABELS = ("neutral", "angry")


def utterance(path: str, speaker: str = "ann", session: str = "Leeds", emotion: str | None = "angry") -> Utterance:
    return Utterance(path, speaker, session, 1.0, emotion)


def manifest(*utterances: Utterance, labels: tuple[str, ...] = LABELS) -> Manifest:
    return Manifest("mine", Path("/corpora/mine"), labels, utterances)


def test_it_tells_which_labels_it_holds():
    assert manifest(utterance("1.wav", emotion="angry"), utterance("2.wav", emotion=None)).held == (False, True)
    assert manifest(utterance("1.wav"), utterance("2.wav", emotion="neutral")).held == (True, True)


corpora = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(LABELS)), min_size=1, max_size=20).map(
    # a session of two speakers each, as in the corpora: a and b, c and d, e and f
    lambda rows: manifest(
        *(
            utterance(f"{n}.wav", speaker, str("abcdef".index(speaker) // 2), emotion)
            for n, (speaker, emotion) in enumerate(rows)
        )
    )
)


@given(corpora)
def test_folds_test_every_utterance_once_and_share_no_speaker(corpus):
    if len(corpus.sessions) < 2:
        with pytest.raises(UserError, match="only one session"):
            leave_one_out(corpus)
        return
    folds = leave_one_out(corpus)
    assert sorted(u.path for fold in folds for u in fold.test.utterances) == sorted(u.path for u in corpus.utterances)
    for fold in folds:
        assert not set(fold.train.speakers) & set(fold.test.speakers)
        assert len(fold.train) + len(fold.test) == len(corpus)
        assert {u.session for u in fold.test.utterances} == {fold.name}


def test_every_speaker_in_two_sessions_is_named_at_once():
    corpus = manifest(
        utterance("1", "ann", "Leeds"), utterance("2", "ann", "York"),
        utterance("3", "bob", "York"), utterance("4", "bob", "Hull"), utterance("5", "eve", "Hull"),
    )  # fmt: skip
    assert corpus.shared_speakers() == {"ann": ("Leeds", "York"), "bob": ("Hull", "York")}
    with pytest.raises(UserErrors, match="give each to one session") as caught:
        leave_one_out(corpus)
    assert caught.value.problems == ("speaker ann is in Leeds and York", "speaker bob is in Hull and York")


def test_a_fold_with_a_speaker_on_both_sides_does_not_come_to_be():
    with pytest.raises(UserError, match="both sides of a fold: fold York, speaker ann"):
        Fold("York", manifest(utterance("1", session="Leeds")), manifest(utterance("2", session="York")))


def test_a_fold_with_an_empty_side_does_not_come_to_be():
    with pytest.raises(UserError, match="the test side of a fold is empty"):
        Fold("York", manifest(utterance("1")), manifest())


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
    [{"path": "2"}, {"speaker": "bob"}, {"session": "York"}, {"seconds": 2.0}, {"emotion": None}, {"sex": "male"}],
)
def test_every_column_is_part_of_the_content(change):
    one = utterance("1")
    assert manifest(one).content_hash() != manifest(replace(one, **change)).content_hash()


def test_the_label_order_is_part_of_the_content():
    one = utterance("1")
    assert manifest(one).content_hash() != manifest(one, labels=LABELS[::-1]).content_hash()
    assert [manifest(one, labels=labels).label_index(one) for labels in (LABELS, LABELS[::-1])] == [1, 0]


def test_an_unlabelled_utterance_has_no_class():
    with pytest.raises(UserError, match="an unlabelled utterance has no class: 1"):
        manifest().label_index(utterance("1", emotion=None))
