"""The whole story on the built-in corpus: speech, five clients tuned through Flower and Ray, what came of it.

Owns what is shown and where the pictures lie. Must not know how anything is made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from common.config import Config, load_config
from common.corpora import labelled_corpus
from common.corpora.manifest import Manifest
from common.features.cache import Features, features_for
from common.settings import hash_identity
from common.training.pretrained import pretrained_hash, shipped_weights
from server.bank import Bank
from server.campaign import BANK
from server.generators import open_generator
from simulations.comparison.campaign import simulate_campaign
from simulations.comparison.modes import ABLATED, REAL
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


def on_vectors(config: Config) -> Config:
    """The preset `best` on the same speech: a Gaussian an emotion leaves each site, and not a network."""
    best = load_config("best")
    return best.model_copy(update={name: getattr(config, name) for name in ("corpus", "runtime", "seed")})


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


def overview(campaigns: Mapping[str, Results]) -> Table:
    """Both campaigns in one table; it fits 80 columns."""
    table = Table(title="Five sites, one left out at a time", title_justify="left")
    for heading in ("what left each site", "trained on", "macro F1", "95 %", "UAR"):
        table.add_column(heading, no_wrap=True)
    for what, results in campaigns.items():
        for name, row in results.modes.items():
            if row.macro_f1 is None or row.uar is None:
                table.add_row(what, name, "failed")
                continue
            one, uar = row.macro_f1, row.uar
            table.add_row(what, name, f"{one.mean:.2f}", f"{one.low:.2f} to {one.high:.2f}", f"{uar.mean:.2f}")
    return table


def verdict(campaigns: Mapping[str, Results]) -> str:
    """What all of it comes to, in one sentence for each campaign."""
    told = []
    for what, results in campaigns.items():
        real, federated = (results.modes[name].macro_f1 for name in (REAL, ABLATED))
        what = what[0].upper() + what[1:]
        if real is None or federated is None or not real.mean:
            told.append(f"{what}: something failed, as the lines above say.")
            continue
        share = federated.mean / real.mean
        told.append(f"{what}: {federated.mean:.2f} of {real.mean:.2f} on the speech itself ({share:.0%}).")
    chance = 1 / len(next(iter(campaigns.values())).labels)
    return " ".join(["No recording left a site.", *told, f"Guessing gives {chance:.2f}."])


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
    title = f"{first.session}: speech that stayed here, and what its generator makes, which left"
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
