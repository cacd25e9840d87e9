"""One tuning at a site, from the networks that came to the generator that may leave, and through every interruption.

Owns the folder of a tuning: what was asked, the networks that came with it, snapshots, the finished generator. Must not
know who asked, nor whether the result may leave.

A folder goes through three states: asked (its base is stored), tuning (it has snapshots), done (its release is stored).
"""

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from client.door import Door
from common.config.tree import Config, RuntimeConfig
from common.errors import UserError
from common.features.scaling import Scaling
from common.files import atomic_json
from common.networks import Discriminator, Generator, release_weights
from common.networks.acceleration import Acceleration
from common.networks.memory import require_memory
from common.training.checkpoint import Snapshots, read_tensors, save_tensors
from common.training.phases import Surroundings
from common.training.reporters import Reporter
from common.training.stages import FINETUNING, Pair, finetune
from common.wire import Tune, Tuning

BASE, ASKED, DONE = "base", "asked.json", "release"
SNAPSHOTS = 10
"""Snapshots over a tuning: what a kill costs at the most is a tenth of the work."""


@dataclass(frozen=True)
class TuningFolder:
    """Where one tuning lives; its name tells what was asked, so that asking again finds it."""

    path: Path

    def keep(self, request: Tune) -> None:
        """Store what was asked and the networks it came with, unless they are here already."""
        if self.asked() is None:
            base = {f"generator.{name}": value for name, value in request.generator.items()}
            base |= {f"discriminator.{name}": value for name, value in request.discriminator.items()}
            save_tensors(self.path / BASE, base, {"what": "the networks that a tuning starts from"})
            atomic_json(self.path / ASKED, request.tuning.model_dump(mode="json"))

    def asked(self) -> Tuning | None:
        """What was asked, once it and its networks are stored."""
        path = self.path / ASKED
        return Tuning.model_validate_json(path.read_text(encoding="utf-8")) if path.exists() else None

    def base(self, tuning: Tuning) -> Pair:
        """The networks to start from."""
        tensors, _ = read_tensors(self.path / BASE)
        generator = Generator(tuning.network)
        discriminator = Discriminator(tuning.network, 1)
        generator.load_state_dict(_under("generator.", tensors))
        discriminator.load_state_dict(_under("discriminator.", tensors))
        return Pair(generator, discriminator)

    def finish(self, weights: Mapping[str, Tensor], seconds: float) -> None:
        """Store the generator, then drop all that only the tuning needed."""
        save_tensors(self.path / DONE, weights, {"what": "a tuned generator", "seconds": round(seconds)})
        shutil.rmtree(self.path / BASE, ignore_errors=True)
        shutil.rmtree(self.path / "snapshots", ignore_errors=True)

    def finished(self) -> tuple[dict[str, Tensor], int] | None:
        """The generator's weights and the seconds that they took, once there are any."""
        if not (self.path / DONE / "card.json").exists():
            return None
        weights, card = read_tensors(self.path / DONE)
        return weights, int(card["seconds"])


def tune(
    folder: TuningFolder, door: Door, runtime: RuntimeConfig, reporter: Reporter, stop: Callable[[], bool]
) -> None:
    """Fine-tune from the folder's last snapshot to the end and store the generator there."""
    tuning = folder.asked()
    if tuning is None:
        raise UserError("no tuning was asked for", where=folder.path)
    config = as_config(tuning, runtime)
    acceleration = Acceleration.from_runtime(runtime)
    require_memory(config.network, config.finetuning.batch, FINETUNING, acceleration.device)
    began = time.monotonic() - _spent(folder.path)
    scaling = Scaling(tuning.scaling.low, tuning.scaling.high)
    snapshots = Snapshots(
        folder.path / "snapshots", tuning.model_dump(mode="json"), tuning.labels, tuning.scaling.model_dump()
    )
    around = Surroundings(
        acceleration,
        reporter=_Clocked(reporter, folder.path, began),
        snapshots=snapshots,
        report_every=10,
        snapshot_every=max(config.finetuning.iterations // SNAPSHOTS, 1),
        stop=stop,
    )
    patches = door.patches(scaling, tuning.seed, balanced=config.finetuning.balanced)
    tuned = finetune(folder.base(tuning), patches, config, tuning.seed, around)
    folder.finish(release_weights(tuned.generator), time.monotonic() - began)


def as_config(tuning: Tuning, runtime: RuntimeConfig) -> Config:
    """The tree that the training code reads, from the bounded settings of a request and the site's own runtime."""
    return Config(
        seed=0,
        network=tuning.network,
        optimizer=tuning.optimizer,
        finetuning=tuning.finetuning,
        runtime=runtime,
    )


class _Clocked(Reporter):
    """Passes on, and keeps the seconds spent so far, so that a tuning that was cut counts all of its time."""

    def __init__(self, inner: Reporter, folder: Path, began: float) -> None:
        self._inner, self._path, self._began = inner, folder / "spent.json", began

    def begin(self, stage: str, first: int, iterations: int) -> None:
        self._inner.begin(stage, first, iterations)

    def record(self, stage: str, step: int, metrics: Mapping[str, float]) -> None:
        self._inner.record(stage, step, metrics)
        atomic_json(self._path, {"seconds": time.monotonic() - self._began})


def _spent(folder: Path) -> float:
    path = folder / "spent.json"
    return float(json.loads(path.read_text(encoding="utf-8"))["seconds"]) if path.exists() else 0.0


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
