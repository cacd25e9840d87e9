"""Corpora for protocols: sessions of two speakers, every emotion as often as a test says."""

from pathlib import Path

import pytest

from common.corpora.manifest import Manifest, Utterance

LABELS = ("neutral", "angry", "sad")


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
