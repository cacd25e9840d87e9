"""Recognizers that saw the real speech, fold by fold: what federation is measured against.

Owns what is kept of each fold, and when it is trained. Must not know how a recognizer is trained, nor a score.
"""

import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from client.simulated import site_name
from common.config import Config
from common.corpora.manifest import Manifest
from common.features.cache import Features, features_for
from common.features.patches import PatchSource
from common.features.scaling import Scaling
from common.files import atomic_json
from common.networks.acceleration import Acceleration
from common.processes import side_by_side
from common.protocols import Trial
from common.recognizers import recognizer
from common.recognizers.trying import confusions_by_speaker
from common.seeds import derive_seed
from common.settings import RuntimeConfig
from common.spaces import PATCHES
from common.training.checkpoint import Snapshots
from common.training.phases import Surroundings
from server.outcome import Matrix, read_matrices
from simulations.trials import session_trials

REAL = "real"
LEAST = 19
"""The niceness of work that takes only what others leave."""
AUTOGROUP = Path("/proc/self/autogroup")
"""Where Linux keeps a session's niceness, which goes before that of its processes."""
Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class RealTraining:
    """All that the training of any fold needs; small enough to be sent to another process."""

    config: Config
    manifest: Manifest
    scaling: Scaling
    run: Path

    def path(self, fold: Trial) -> Path:
        """Where a fold's confusions lie."""
        return self.run / REAL / f"{site_name(fold.name)}.json"

    def counts(self, fold: Trial) -> list[Matrix] | None:
        """A fold's confusions by speaker; None where it is to be trained, anew if what is kept cannot be read."""
        return read_matrices(self.path(fold), self.config.corpus.classes)

    def train(self, fold: Trial, runtime: RuntimeConfig) -> None:
        """A recognizer of one fold, of which its confusions are kept."""
        config, scaling = self.config, self.scaling
        features = features_for(self.manifest, config.features, runtime)
        identity = {"config": config.identity(), "fold": fold.name, "corpus": fold.train.content_hash()}
        folder = self.path(fold).with_name(f"{site_name(fold.name)}-snapshots")
        around = Surroundings(
            Acceleration.from_runtime(runtime),
            snapshots=Snapshots(folder, identity, fold.train.labels, asdict(scaling)),
            snapshot_every=max(config.recognizer.iterations // 5, 1),
        )
        patches = real_patches(fold, features, scaling, config)
        method, classes = recognizer(config.methods.recognizer), config.corpus.classes
        settings, seed = method.settings_of(config), derive_seed(config.seed, REAL, fold.name)
        weights = method.train(patches, settings, PATCHES, classes, seed, around)
        predictor = method.predictor(weights, settings, PATCHES, classes, around.acceleration)
        confusions = confusions_by_speaker(predictor, features.of(fold.test), fold.test, scaling)
        atomic_json(self.path(fold), {"counts": [confusion.counts.tolist() for confusion in confusions]})
        shutil.rmtree(folder, ignore_errors=True)


def real_patches(fold: Trial, features: Features, scaling: Scaling, config: Config) -> PatchSource:
    """Of a fold's training sessions, emotions alike; `features` are those of the whole corpus."""
    seed = derive_seed(config.seed, REAL, fold.name)
    return PatchSource(features.of(fold.train), fold.train, scaling, seed, balanced=True)


@contextmanager
def training_on_real_when_idle(config: Config, manifest: Manifest, scaling: Scaling, run: Path) -> Iterator[None]:
    """Begin with what `train_on_real` will ask for, with what the block leaves of the processors.

    While Flower and Ray start, and while the last client tunes, a core has nothing to do. What is not done when the
    block ends goes on from its last snapshot when `train_on_real` is called.
    """
    if Acceleration.from_runtime(config.runtime).device.type != "cpu":
        yield  # the accelerator's memory is the clients'
        return
    features_for(manifest, config.features, config.runtime)
    training = RealTraining(config, manifest, scaling, run)
    beside = multiprocessing.get_context("spawn").Process(target=_train_when_idle, args=(training,), daemon=True)
    beside.start()
    try:
        yield
    finally:
        beside.terminate()
        beside.join()


def _train_when_idle(training: RealTraining) -> None:
    os.setsid()  # a group of its own, so that the parent alone hears Ctrl-C, and that Linux can rank the whole group
    os.nice(LEAST)
    with suppress(OSError):  # elsewhere niceness alone decides
        AUTOGROUP.write_text(str(LEAST), encoding="utf-8")
    alone = training.config.runtime.model_copy(update={"threads": 1})
    parent = multiprocessing.parent_process()
    for fold in session_trials(training.config, training.manifest):
        if parent is None or not parent.is_alive():
            return
        if training.counts(fold) is None:
            training.train(fold, alone)


def train_on_real(
    config: Config, manifest: Manifest, scaling: Scaling, run: Path, progress: Progress
) -> dict[str, Any]:
    """Fold to confusions by speaker; several folds at once, and none that has been done before."""
    features_for(manifest, config.features, config.runtime)  # once, before processes look for them
    training = RealTraining(config, manifest, scaling, run)
    folds = session_trials(config, manifest)
    missing = [fold for fold in folds if training.counts(fold) is None]
    progress(len(folds) - len(missing), len(folds))
    trained = side_by_side(training.train, missing, config.runtime, of=len(folds))
    for done, _ in enumerate(trained, start=1 + len(folds) - len(missing)):
        progress(done, len(folds))
    return {site_name(fold.name): training.counts(fold) for fold in folds}
