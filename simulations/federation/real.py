"""Recognizers that saw the real speech, fold by fold: what federation is measured against.

Owns who trains which fold, and what is kept of each. Must not know how a recognizer is trained, nor a score.
"""

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from client.simulated import site_name
from common.config import Config
from common.corpora.manifest import Fold, Manifest, leave_one_out
from common.features.cache import features_for
from common.features.patches import PatchSource
from common.features.scaling import Scaling
from common.files import atomic_json
from common.networks.acceleration import Acceleration
from common.seeds import derive_seed
from common.training.checkpoint import Snapshots
from common.training.phases import Surroundings
from common.training.recognizer import train_recognizer
from simulations.federation.results import by_speaker

REAL = "real"
Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Bench:
    """All that the training of any fold needs; small enough to be sent to another process."""

    config: Config
    manifest: Manifest
    scaling: Scaling
    run: Path

    def path(self, fold: Fold) -> Path:
        """Where a fold's confusions lie."""
        return self.run / REAL / f"{site_name(fold.name)}.json"


def train_on_real(
    config: Config, manifest: Manifest, scaling: Scaling, run: Path, progress: Progress
) -> dict[str, Any]:
    """Fold to confusions by speaker; several folds at once, and none that has been done before."""
    features_for(manifest, config.features, config.runtime)  # once, before processes look for them
    bench = Bench(config, manifest, scaling, run)
    folds = leave_one_out(manifest, config.corpus.fold)
    missing = [fold for fold in folds if not bench.path(fold).exists()]
    progress(len(folds) - len(missing), len(folds))
    for done, _ in enumerate(_trained(bench, missing), start=1 + len(folds) - len(missing)):
        progress(done, len(folds))
    return {site_name(fold.name): json.loads(bench.path(fold).read_text(encoding="utf-8"))["counts"] for fold in folds}


def _trained(bench: Bench, folds: list[Fold]) -> Iterator[None]:
    """A core a fold: recognizers are too small to be worth two, and a GPU has its own ways to be busy."""
    runtime = bench.config.runtime
    at_once = min(len(folds), runtime.threads or os.cpu_count() or 1)
    if at_once < 2 or Acceleration.from_runtime(runtime).device.type != "cpu":
        for fold in folds:
            yield _train(bench, fold)
        return
    alone = bench.config.model_copy(update={"runtime": runtime.model_copy(update={"threads": 1})})
    bench = Bench(alone, bench.manifest, bench.scaling, bench.run)
    with ProcessPoolExecutor(at_once, multiprocessing.get_context("spawn")) as processes:
        for finished in as_completed([processes.submit(_train, bench, fold) for fold in folds]):
            yield finished.result()


def _train(bench: Bench, fold: Fold) -> None:
    config, scaling = bench.config, bench.scaling
    features = features_for(bench.manifest, config.features, config.runtime)
    seed = derive_seed(config.seed, REAL, fold.name)
    identity = {"config": config.identity(), "fold": fold.name, "corpus": fold.train.content_hash()}
    folder = bench.path(fold).with_name(f"{site_name(fold.name)}-snapshots")
    around = Surroundings(
        Acceleration.from_runtime(config.runtime),
        snapshots=Snapshots(folder, identity, fold.train.labels, asdict(scaling)),
        snapshot_every=max(config.recognizer.iterations // 5, 1),
    )
    patches = PatchSource(features.of(fold.train), fold.train, scaling, config.features, seed, balanced=True)
    recognizer = train_recognizer(patches, config, seed, around)
    confusions = by_speaker(recognizer, features.of(fold.test), fold.test, scaling, config)
    atomic_json(bench.path(fold), {"counts": [confusion.counts.tolist() for confusion in confusions]})
    shutil.rmtree(folder, ignore_errors=True)
