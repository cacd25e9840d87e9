"""The recognizers of a run: trained from the bank alone, a folder each, never twice.

Owns where they lie, what one is trained on and when it can be used again. Must not know clients: all of this works when
they are gone.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from common.config import Config
from common.config.tree import RuntimeConfig, hash_identity
from common.errors import UserError
from common.networks import learned_weights
from common.networks.acceleration import Acceleration
from common.networks.memory import require_memory
from common.processes import side_by_side
from common.seeds import derive_seed
from common.synthesizers import ConditionalSampler
from common.training.checkpoint import Card, Snapshots, read_tensors, save_tensors
from common.training.draws import Patches
from common.training.phases import Surroundings
from common.training.recognizer import RECOGNIZER, train_recognizer
from common.training.reporters import Reporter
from common.wire import weights_digest
from server.bank import Bank, Banked
from server.pool import PATCH_BYTES, FreshPool, KeptPool, Source, shares

FOLDER, POOL, WEIGHTS = "recognizers", "pool", "weights"
KEPT = 5
"""Snapshots over a training."""


class Recognizers:
    """All that one run trains, below its folder."""

    def __init__(self, folder: Path, config: Config, bank: Bank) -> None:
        self._folder, self._config, self._bank = folder, config, bank

    def train(
        self,
        name: str,
        releases: Sequence[Banked],
        reporter: Reporter | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Train the recognizer of this name from these releases, or leave the one that came of them before."""
        config = self._config
        releases = _in_order(releases)
        seed, identity = self._identity(name, releases)
        if self._is_trained(name, identity):
            return
        acceleration = Acceleration.from_runtime(config.runtime)
        require_memory(config.network, config.recognizer.batch, RECOGNIZER, acceleration.device)
        snapshots = self._folder / FOLDER / name / "snapshots"
        around = Surroundings(
            acceleration,
            reporter=reporter or Reporter(),
            # A folder for each identity: what was begun from other releases is not gone on with.
            snapshots=Snapshots(snapshots / hash_identity(identity), identity, config.network.emotions, {}),
            report_every=25,
            snapshot_every=max(config.recognizer.iterations // KEPT, 1),
            stop=stop,
        )
        weights = train_recognizer(self._pool(releases, acceleration.device), config, seed, around).state_dict()
        card = {"identity": identity, "labels": config.network.emotions}
        save_tensors(self.where(name), weights, card)
        shutil.rmtree(snapshots, ignore_errors=True)

    def train_all(self, pools: Mapping[str, Sequence[Banked]], reporter_of: Callable[[str], Reporter]) -> Iterator[str]:
        """Train a recognizer from each of several pools, as many at once as pays; the answer is who is done."""
        device = Acceleration.from_runtime(self._config.runtime).device
        pieces = []
        for name, releases in pools.items():
            if self._is_trained(name, self._identity(name, releases)[1]):
                yield name
            else:
                self._pool(_in_order(releases), device)  # here, where no two draw the same
                pieces.append((name, releases, reporter_of(name)))
        for name, _, _ in side_by_side(self._train_one, pieces, self._config.runtime, of=len(pools)):
            yield name

    def _train_one(self, piece: tuple[str, Sequence[Banked], Reporter], runtime: RuntimeConfig) -> None:
        config = self._config.model_copy(update={"runtime": runtime})
        Recognizers(self._folder, config, self._bank).train(*piece)

    def where(self, name: str) -> Path:
        """The folder of a trained recognizer's weights."""
        return self._folder / FOLDER / name / WEIGHTS

    def load(self, name: str) -> dict[str, Tensor]:
        """The weights of a trained recognizer."""
        return read_tensors(self.where(name))[0]

    def digest(self, name: str) -> str:
        """What the weights of a trained recognizer hash to on the wire."""
        return weights_digest({"recognizer": learned_weights(self.load(name))})

    def require_room(self, pools: Iterable[Sequence[Banked]]) -> None:
        """Refuse, before anything is drawn for these lists of releases, to fill more disk than is granted."""
        sampling = self._config.sampling
        if not sampling.keep:
            return
        pools = list(pools)
        files = {(one.name, max(shares(sampling.per_emotion, len(pool)))) for pool in pools for one in pool}
        samples = self._config.network.classes * sum(rounds for _, rounds in files)
        if samples * PATCH_BYTES > self._config.campaign.pool_gigabytes * 1e9:
            raise UserError(
                f"the pool would fill {samples * PATCH_BYTES / 1e9:.1f} GB, more than campaign.pool_gigabytes grants",
                where=self._folder,
                remedy="set campaign.pool_gigabytes higher, or sampling.keep=false to draw afresh for every batch",
            )

    def drop_pool(self) -> None:
        """Free the disk: what was drawn can be drawn again from the bank, bit for bit."""
        shutil.rmtree(self._folder / POOL, ignore_errors=True)

    def _identity(self, name: str, releases: Iterable[Banked]) -> tuple[int, dict[str, object]]:
        """A recognizer's seed, and all that defines what it becomes."""
        seed = derive_seed(self._config.seed, "recognizer", name)
        names = [banked.name for banked in _in_order(releases)]
        return seed, {"config": self._config.identity(), "releases": names, "seed": seed}

    def _is_trained(self, name: str, identity: dict[str, object]) -> bool:
        """One that is damaged, or came of other releases, is trained again."""
        try:
            card: Card = read_tensors(self.where(name))[1]
        except UserError:
            return False
        return bool(card.get("identity") == identity)

    def _pool(self, releases: Sequence[Banked], device: torch.device) -> Patches:
        seed, sampling, classes = self._config.seed, self._config.sampling, self._config.network.classes
        sources = [
            Source(one.name, derive_seed(seed, one.run, one.session, "pool"), partial(self._sampler, one, device))
            for one in releases
        ]
        if sampling.keep:
            return KeptPool.draw(self._folder / POOL, sources, sampling, classes, seed)
        return FreshPool(sources, sampling, classes, seed)

    def _sampler(self, banked: Banked, device: torch.device) -> ConditionalSampler:
        release = self._bank.load(banked)
        return ConditionalSampler(release.generator, release.card.tuning.network, device)


def _in_order(releases: Iterable[Banked]) -> list[Banked]:
    """The same pool, whatever order generators arrived in."""
    return sorted(releases, key=lambda banked: (banked.run, banked.session))
