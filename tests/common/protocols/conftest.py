"""Corpora for protocols: sessions of two speakers, every emotion as often as a test says."""

from dataclasses import replace
from pathlib import Path

import pytest

from common.corpora.manifest import Manifest, Utterance

LABELS = ("neutral", "angry", "sad")


@pytest.fixture(scope="session")
def corpus_for(corpus_of):
    """A function from a protocol to a corpus that it can cut: a joint one, or one with a split of its own."""

    def make(one):
        corpus = corpus_of(4)
        if one.name == "split":
            parts = dict(zip(corpus.sessions, ("train", "train", "dev", "test"), strict=True))
            return replace(corpus, utterances=tuple(replace(u, split=parts[u.session]) for u in corpus.utterances))
        if one.name != "cross-corpus":
            return corpus
        homes = dict(zip(corpus.sessions, ("here", "here", "there", "there"), strict=True))
        crossed = [
            replace(u, session=f"{homes[u.session]}__{u.session}", speaker=f"{homes[u.session]}__{u.speaker}")
            for u in corpus.utterances
        ]
        return replace(corpus, utterances=tuple(crossed))

    return make


@pytest.fixture(scope="session")
def corpus_of():
    """A function from sessions and utterances of each emotion a speaker to a corpus."""

    def make(sessions=3, each=(4, 4, 4), labels=LABELS, corpus="mine"):
        utterances = [
            Utterance(f"{session}/{speaker}-{label}-{number}.wav", f"{session}{speaker}", str(session), 1.0, label)
            for session in range(sessions)
            for speaker in "ab"
            for label, count in zip(labels, each, strict=True)
            for number in range(count)
        ]
        return Manifest(corpus, Path("/corpora/mine"), labels, tuple(utterances))

    return make
