"""The story so far, told on the built-in corpus: speech in, features out.

Owns which utterances are shown and where the picture lies. Must not know how anything is made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common.config import Config
from common.config.tree import hash_identity
from common.corpora import corpus_root, read_corpus
from common.corpora.manifest import Manifest
from common.features.cache import Features, features_for
from simulations.pictures import draw_spectrograms

CORPUS = "builtin"
SPEAKERS_SHOWN = 4

Counting = Callable[[int, int], None]


@dataclass(frozen=True)
class Shown:
    """What a demo leaves behind: the speech it is about and a picture of it."""

    manifest: Manifest
    features: Features
    picture: Path


def show_speech(config: Config, folder: Path, open_bar: Callable[[str], Counting]) -> Shown:
    """Make the corpus and its features, or find them made, and draw a few of them."""
    root = corpus_root(CORPUS, config.runtime.corpus_root, config.runtime.cache)
    manifest = read_corpus(CORPUS, root, progress=open_bar("speech"))
    features = features_for(manifest, config.features, config.runtime, progress=open_bar("features"))
    drawn = hash_identity({"speech": manifest.content_hash(), "features": config.features.model_dump()})
    picture = folder / f"speech-{drawn}.png"
    if not picture.exists():
        _draw(picture, manifest, features, config)
    return Shown(manifest, features, picture)


def _draw(picture: Path, manifest: Manifest, features: Features, config: Config) -> None:
    """A row for each emotion, a column for each of the first speakers, in each cell an utterance of median length."""
    speakers = manifest.speakers[:SPEAKERS_SHOWN]
    rows = {
        emotion: [features[_typical(manifest, speaker, emotion)] for speaker in speakers] for emotion in manifest.labels
    }
    whose = {utterance.speaker: f"{utterance.session}, {utterance.sex}" for utterance in manifest.utterances}
    title = "The built-in corpus, a synthetic stand-in for speech: what each emotion looks like"
    draw_spectrograms(picture, rows, [whose[speaker] for speaker in speakers], config.features, title)


def _typical(manifest: Manifest, speaker: str, emotion: str) -> int:
    """The number of the utterance of median length."""
    numbers = [n for n, u in enumerate(manifest.utterances) if (u.speaker, u.emotion) == (speaker, emotion)]
    return sorted(numbers, key=lambda number: manifest.utterances[number].seconds)[len(numbers) // 2]
