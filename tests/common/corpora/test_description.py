"""What a description counts."""

import json
from dataclasses import replace
from pathlib import Path

from common.corpora.description import describe
from common.corpora.manifest import BadFile, Manifest, Utterance

CORPUS = Manifest(
    "mine",
    Path("/corpora/mine"),
    ("neutral", "angry"),
    (
        Utterance("1.wav", "ann", "York", 1.0, "angry", "female", split="train"),
        Utterance("2.wav", "bob", "Leeds", 2.0, "angry", "male", split="test"),
        Utterance("3.wav", "bob", "Leeds", 6.0, "neutral", "male", split="test"),
        Utterance("4.wav", "ann", "Leeds", 3.0, None, "female"),
    ),
    (BadFile("5.wav", "empty file (0 bytes)"),),
    {"sad": 7},
)


def test_a_description_counts_everything_and_is_plain_data():
    description = describe(CORPUS)
    assert json.loads(json.dumps(description)) == description
    assert description == {
        "corpus": "mine",
        "root": "/corpora/mine",
        "content_hash": CORPUS.content_hash(),
        "labels": ["neutral", "angry"],
        "utterances": 4,
        "files": 4,
        "unlabelled": 1,
        "emotions": {"neutral": 1, "angry": 2},
        "sessions": {"Leeds": 3, "York": 1},
        "splits": {"train": 1, "test": 2},
        "speakers": {"ann": 2, "bob": 2},
        "speakers_by_sex": {"female": 1, "male": 1},
        "emotions_by_session": {"Leeds": {"neutral": 1, "angry": 1}, "York": {"neutral": 0, "angry": 1}},
        "seconds": 12.0,
        "durations": {"min": 1.0, "median": 2.5, "max": 6.0},
        "left_out": {"sad": 7},
        "notes": [],
        "skipped": [{"path": "5.wav", "reason": "empty file (0 bytes)"}],
        "speakers_in_several_sessions": {"ann": ["Leeds", "York"]},
    }


def test_a_table_is_told_by_its_file():
    assert describe(replace(CORPUS, source=Path("labels.csv")))["root"] == "labels.csv"


def test_an_unlabelled_corpus_has_no_emotions_to_count():
    description = describe(CORPUS.where(lambda u: u.emotion is None))
    assert description["emotions"] == {}
    assert description["unlabelled"] == 1


def test_an_empty_part_of_a_corpus_can_be_described():
    description = describe(CORPUS.where(lambda _: False))
    assert description["utterances"] == 0
    assert description["durations"] == {}
