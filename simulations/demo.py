"""The whole story on the built-in corpus: speech, five clients tuned through Flower and Ray, what came of it.

Owns what is shown and where the pictures lie. Must not know how anything is made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from common.config import Config
from common.corpora import labelled_corpus
from common.corpora.manifest import Manifest
from common.features.cache import Features, features_for
from common.settings import hash_identity
from common.training.pretrained import pretrained_hash, shipped_weights
from server.bank import Bank
from server.campaign import BANK
from server.generators import open_generator
from simulations.comparison.campaign import simulate_campaign
from simulations.comparison.schema import Results
from simulations.pictures import draw_spectrograms
from simulations.progress import Counting
from simulations.sampling import Order, draw

SPEAKERS_SHOWN = 4


@dataclass(frozen=True)
class Shown:
    """What a demo leaves behind: the speech it is about and a picture of it."""

    manifest: Manifest
    features: Features
    picture: Path


def show_speech(config: Config, folder: Path, open_bar: Callable[[str], Counting]) -> Shown:
    """Make the corpus and its features, or find them made, and draw a few of them."""
    manifest = labelled_corpus(config.corpus, config.runtime, open_bar("speech"))
    features = features_for(manifest, config.features, config.runtime, progress=open_bar("features"))
    drawn = hash_identity({"speech": manifest.content_hash(), "features": config.features.model_dump()})
    picture = folder / f"speech-{drawn}.png"
    if not picture.exists():
        _draw(picture, manifest, features, config)
    return Shown(manifest, features, picture)


def federate(config: Config, folder: Path, console: Console, backend: str = "ray") -> tuple[Results, Path]:
    """The campaign of this configuration, or what it came to the last time: results, and its run directory."""
    base = shipped_weights("demo")
    run = folder / f"campaign-{hash_identity({'config': config.identity(), 'weights': pretrained_hash(base)})}"
    results = simulate_campaign(
        config,
        run,
        base,
        backend=backend,
        plan=None,
        with_real=True,
        resume=True,
        console=console,
        command="eyesoff demo",
    )
    return results, run


def show_generated(config: Config, shown: Shown, run: Path) -> Path:
    """A row for each emotion: on the left speech of the first session, on the right what its generator makes."""
    bank = Bank(run / BANK)
    first = bank.banked()[0]
    samples = draw(open_generator(bank.files(first)[1]), Order(SPEAKERS_SHOWN)).by_emotion()
    speakers = shown.manifest.speakers[:2]
    rows = {
        emotion: [*(shown.features[_typical(shown.manifest, speaker, emotion)] for speaker in speakers), *made]
        for emotion, made in samples.items()
    }
    columns = ["speech"] * len(speakers) + ["generated"] * SPEAKERS_SHOWN
    title = f"{first.session}: speech that stayed, and what the generator makes that left"
    draw_spectrograms(run / "generated.png", rows, columns, config.features, title)
    return run / "generated.png"


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
