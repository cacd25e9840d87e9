"""The recognizers of a campaign: trained from the bank alone, a folder each, never twice.

Owns where they lie and when one can be used again. Must not know clients: all of this works when they are gone.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from common.config import Config
from common.errors import UserError
from common.networks.acceleration import Acceleration
from common.seeds import derive_seed
from common.synthesizers import ConditionalSampler
from common.training.checkpoint import Snapshots, read_tensors, save_tensors
from common.training.draws import Patches
from common.training.phases import Surroundings
from common.training.recognizer import train_recognizer
from common.training.reporters import Reporter
from server.bank import Bank
from server.pool import PATCH_BYTES, FreshPool, KeptPool, Source

SNAPSHOTS = 5
DONE = "weights"


@dataclass(frozen=True)
class Recognizers:
    """All that one run trains, below its folder."""

    folder: Path
    config: Config
    bank: Bank

    def train(
        self,
        name: str,
        releases: Sequence[str],
        seed: int,
        reporter: Reporter | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Train the recognizer of this name from these releases, or leave the one that came of them before."""
        own = self.folder / "recognizers" / name
        identity = {"config": self.config.identity(), "releases": sorted(releases), "seed": seed}
        if (own / DONE / "card.json").exists() and read_tensors(own / DONE)[1]["identity"] == identity:
            return
        acceleration = Acceleration.from_runtime(self.config.runtime)
        around = Surroundings(
            acceleration,
            reporter=reporter or Reporter(),
            snapshots=Snapshots(own / "snapshots", identity, self.config.network.emotions, {}),
            report_every=25,
            snapshot_every=max(self.config.recognizer.iterations // SNAPSHOTS, 1),
            stop=stop,
        )
        recognizer = train_recognizer(self._pool(sorted(releases), acceleration.device), self.config, seed, around)
        save_tensors(
            own / DONE, recognizer.state_dict(), {"identity": identity, "labels": self.config.network.emotions}
        )
        shutil.rmtree(own / "snapshots", ignore_errors=True)

    def where(self, name: str) -> Path:
        """The folder of a trained recognizer's weights."""
        return self.folder / "recognizers" / name / DONE

    def load(self, name: str) -> Mapping[str, Tensor]:
        """The weights of a trained recognizer."""
        weights, _ = read_tensors(self.where(name))
        return weights

    def _pool(self, releases: Sequence[str], device: torch.device) -> Patches:
        sampling, classes = self.config.sampling, self.config.network.classes
        seed = derive_seed(self.config.seed, "pool")
        sources = [Source(name, lambda name=name: self._sampler(name, device)) for name in releases]  # type: ignore[misc]
        if not sampling.keep:
            return FreshPool(sources, sampling, classes, seed)
        gigabytes = sampling.per_emotion * classes * PATCH_BYTES / 1e9
        if gigabytes > self.config.campaign.pool_gigabytes:
            raise UserError(
                f"the pool would fill {gigabytes:.0f} GB, more than campaign.pool_gigabytes grants",
                where=self.folder,
                remedy="set campaign.pool_gigabytes higher, or sampling.keep=false to draw afresh for every batch",
            )
        return KeptPool.draw(self.folder / "pool", sources, sampling, classes, seed)

    def _sampler(self, name: str, device: torch.device) -> ConditionalSampler:
        release = self.bank.load(self.bank.get(name))
        return ConditionalSampler(release.generator, release.card.tuning.network, device)
