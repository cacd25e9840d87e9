"""Pre-training from a folder of unlabelled speech to networks that can be shipped.

Owns the run directory and the order of the work: features, scaling, autoencoder, WGAN-GP, final weights. Must not know
a loss, nor who started it.

    config.toml, command.txt, identity.json              what was asked
    log.txt, metrics.jsonl, tensorboard/, pictures/      how it went
    checkpoints/, pretrained/                            what came out
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from common.config.showing import as_toml
from common.config.tree import Config
from common.corpora import read_corpus
from common.corpora.manifest import Manifest
from common.errors import UserError, UserErrors
from common.features.cache import Features, features_for
from common.features.patches import PatchSource
from common.features.scaling import Scaling
from common.files import atomic_json, atomic_write, refuse_strangers
from common.networks.acceleration import Acceleration
from common.networks.memory import AUTOENCODER_SHOWS, CRITIC_SHOWS, pair_memory, require_memory
from common.settings import AdversarialConfig, AutoencoderConfig, option_words
from common.training.checkpoint import Card, Snapshots, differences, read_tensors, save_tensors
from common.training.curves import read_rows, save_curves
from common.training.distributed import Share, joined, runtime_of_process
from common.training.loggers import loggers_for
from common.training.phases import Surroundings
from common.training.pretrained import pack, save_pretrained
from common.training.reporters import JsonLines, Pictures, Reporter, StatusLines, TensorBoard, Together
from common.training.stages import ADVERSARIAL, AUTOENCODER, Pair, train_adversarial, train_autoencoder
from common.version import VERSION

RESULT = "pretrained"
SNAPSHOTS = 20
"""Snapshots a stage: what a kill costs at the most is a twentieth of it."""

LICENCES = {
    "librispeech": "CC BY 4.0, V. Panayotov et al. 2015, openslr.org/12",
    "builtin": "Apache-2.0, made by this program",
}
"""Of the corpora from which weights may be shipped."""


@dataclass(frozen=True)
class Run:
    """The directory of one pre-training."""

    folder: Path
    config: Config

    @property
    def checkpoints(self) -> Path:
        """A folder a stage."""
        return self.folder / "checkpoints"

    @property
    def result(self) -> Path:
        """Final weights in fp32."""
        return self.folder / RESULT

    @property
    def identity(self) -> Path:
        """What makes a directory that of a run, and of which."""
        return self.folder / "identity.json"

    def check(self, *, resume: bool) -> None:
        """Refuse a directory that is neither empty nor, when resumed, the same run's own."""
        if not self.identity.exists():
            refuse_strangers(self.folder, ("config.toml", "command.txt"))
            return
        if not resume:
            remedy = "go on with --resume, or choose another directory with --run"
            raise UserError("a pre-training has begun here already", where=self.folder, remedy=remedy)
        wanted = pretraining_identity(self.config)
        try:
            stored = json.loads(self.identity.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            remedy = "put back what it was, or choose another directory with --run"
            raise UserError("cannot read what this run is", where=self.identity, remedy=remedy) from None
        if problems := list(differences(stored, wanted)):
            raise UserErrors(f"{self.folder}: this run has another configuration", problems)

    def claim(self, command: str) -> None:
        """Begin here, unless it has begun."""
        if self.identity.exists():
            return
        atomic_write(self.folder / "config.toml", as_toml(self.config).encode())
        atomic_write(self.folder / "command.txt", f"{command}\n".encode())
        atomic_json(self.identity, pretraining_identity(self.config))  # last, for it makes this a run's directory

    @property
    def command(self) -> str:
        """The line that began this run, whatever lines resumed it."""
        return (self.folder / "command.txt").read_text(encoding="utf-8").strip()

    def log(self, line: str) -> None:
        """Append to the log, with the time."""
        with (self.folder / "log.txt").open("a", encoding="utf-8") as stream:
            stream.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {line}\n")

    def reporter(self, console: Reporter) -> Reporter:
        """Everything that a run leaves behind of how it went, and whoever watches."""
        files = [
            JsonLines(self.folder / "metrics.jsonl"),
            TensorBoard(self.folder / "tensorboard"),
            Pictures(self.folder / "pictures"),
            StatusLines(self.log),
            loggers_for(
                [one for one in self.config.runtime.loggers if one != "tensorboard"], self.folder, "pretraining"
            ),
        ]
        return Together([*files, console])


def pretraining_identity(config: Config) -> dict[str, Any]:
    """The settings that define pre-trained weights; those of later stages do not."""
    identity = config.identity()
    return {name: identity[name] for name in ("seed", "features", "network", "optimizer", "pretraining")}


def pretrain(
    config: Config,
    root: Path,
    folder: Path,
    *,
    resume: bool = False,
    command: str = "",
    console: Reporter | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Path:
    """Autoencoder, then WGAN-GP, on the speech below `root`; the answer is the folder of the final weights."""
    console = console or Reporter()
    acceleration = Acceleration.of(runtime_of_process(config.runtime))
    run = Run(folder, config)
    with acceleration.entered(), joined(acceleration.device) as share:
        if share.leads:
            run.check(resume=resume)
        manifest = read_corpus(config.pretraining.corpus, root, options=option_words(config.pretraining.options))
        if share.leads:  # only now, for a mistyped folder of speech should not claim the directory
            run.claim(command)
        features = _shared_features(manifest, config, share, console)
        scaling = Scaling.of(features)
        patches = PatchSource(features, manifest, scaling, config.seed)
        identity = pretraining_identity(config) | {"corpus": manifest.content_hash()}
        around = Surroundings(
            acceleration,
            share,
            run.reporter(console) if share.leads else Reporter(),
            Snapshots(run.checkpoints, identity, config.corpus.emotions, asdict(scaling)),
            stop=stop,
        )
        try:
            pair = _both_stages(config, patches, around)
        finally:
            around.reporter.close()
        if share.leads:
            about = {"data": _data(manifest, config), "command": run.command, "made_with": _made_with(acceleration)}
            save_pretrained(run.result, pair, scaling, pretraining_identity(config), about)
        share.wait()
    return run.result


def _shared_features(manifest: Manifest, config: Config, share: Share, console: Reporter) -> Features:
    """Extracted by the leading process, read from its cache by the others."""
    if not share.leads:
        share.wait()
    features = features_for(manifest, config.features, config.runtime, _as_stage("features", console))
    if share.leads:
        share.wait()
    return features


def _as_stage(name: str, console: Reporter) -> Callable[[int, int], None]:
    """Something that is counted, shown as a stage in twenty steps."""
    shown = -1

    def progress(done: int, total: int) -> None:
        nonlocal shown
        if shown < 0:
            console.begin(name, 0, total)
            shown = 0
        if done == total or done >= shown + total / 20:
            console.record(name, done, {})
            shown = done

    return progress


def _both_stages(config: Config, patches: PatchSource, around: Surroundings) -> Pair:
    classes = config.corpus.classes
    pair = Pair.fresh(config.network, classes, config.seed)
    autoencoder, adversarial = config.pretraining.autoencoder, config.pretraining.adversarial
    spaced = _ready(AUTOENCODER, config, autoencoder, AUTOENCODER_SHOWS, around)
    pair = train_autoencoder(pair, patches, autoencoder, config.optimizer, config.seed, spaced)
    spaced = _ready(ADVERSARIAL, config, adversarial, CRITIC_SHOWS, around)
    return train_adversarial(pair, patches, adversarial, config.optimizer, config.seed, spaced)


def _ready(
    stage: str, config: Config, settings: AutoencoderConfig | AdversarialConfig, shows: int, around: Surroundings
) -> Surroundings:
    """What stands around a stage, once it is known that the machine can hold it."""
    share = settings.batch // around.share.processes
    needed = pair_memory(config.network, share, shows, config.corpus.classes)
    require_memory(f"{stage} at width {config.network.width:g} and batch {share}", needed, around.acceleration.device)
    return replace(around, snapshot_every=max(settings.iterations // SNAPSHOTS, 1))


def _data(manifest: Manifest, config: Config) -> dict[str, Any]:
    """What a card tells of the speech behind it, without a place on anybody's disk."""
    warnings = []
    batch = max(config.pretraining.autoencoder.batch, config.pretraining.adversarial.batch)
    if len(manifest) < batch:
        warnings.append(f"{len(manifest)} utterances fill a batch of {batch} only by repetition")
    return {
        "corpus": manifest.corpus,
        "licence": LICENCES.get(manifest.corpus, "the corpus owner's"),
        "utterances": len(manifest),
        "speakers": len(manifest.speakers),
        "hours": round(manifest.seconds / 3600, 2),
        "content_hash": manifest.content_hash(),
        "warnings": warnings,
    }


def _made_with(acceleration: Acceleration) -> dict[str, str]:
    versions = {"eyesoff": VERSION, "torch": torch.__version__}
    threads = str(torch.get_num_threads())
    return versions | {"device": acceleration.device_name, "threads": threads, "precision": acceleration.precision}


def export(run: Path, target: Path) -> Card:
    """The weights of a finished run, packed small enough to ship, with their card, curves and pictures."""
    tensors, card = read_tensors(run / RESULT)
    pictures = {"curves": "curves.png"}
    save_curves(target / "curves.png", read_rows(run / "metrics.jsonl"))
    for name, stage in (("reconstructions", AUTOENCODER), ("samples", ADVERSARIAL)):
        for picture in sorted((run / "pictures").glob(f"{stage}-*.png"))[-1:]:
            atomic_write(target / f"{name}.png", picture.read_bytes())
            pictures[name] = f"{name}.png"
    return save_tensors(target, pack(tensors), {**card, "pictures": pictures})
