"""The recognizers of a run: trained from the bank alone, a folder each, never twice.

Owns where they lie, what one is trained on and when it can be used again. Must not know clients: all of this works when
they are gone.
"""

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from common.config import Config
from common.errors import UserError
from common.features.scaling import Scaling
from common.features.spaces import space_of
from common.networks.acceleration import Acceleration
from common.networks.memory import require_memory
from common.processes import side_by_side
from common.recognizers import recognizer
from common.recognizers.card import AUDITS, ModelCard, extractor_of
from common.recognizers.model import Model, save_model
from common.seeds import derive_seed
from common.settings import RuntimeConfig, hash_identity
from common.synthesizers import Sampler
from common.synthesizers.pool import KeptPool, Source, kept_numbers, sample_bytes, source_seed
from common.training.checkpoint import Card, Snapshots, read_tensors
from common.training.draws import Examples
from common.training.phases import Surroundings
from common.training.reporters import Reporter
from common.wire import weights_digest
from common.wire.terms import Audited
from server.bank import Bank, Banked
from server.samplers import sampler_in

FOLDER, POOL, MODEL, SNAPSHOTS = "recognizers", "pool", "model", "snapshots"
KEPT = 5
"""Snapshots over a training."""
AUDITED: Mapping[Audited, str] = {
    "none": "not made",
    "release": "release",
    "refuse": "refuse",
    "cannot-tell": "cannot tell",
    "approved": "let go by a steward",
}
"""What a release's card says of its audit, in words."""


class Recognizers:
    """All that one run trains, below its folder."""

    def __init__(self, folder: Path, config: Config, bank: Bank) -> None:
        self._folder, self._config, self._bank = folder, config, bank
        self._method = recognizer(config.methods.recognizer)
        self._settings = self._method.settings_of(config)
        self._space = space_of(config)

    def train(
        self,
        name: str,
        releases: Sequence[Banked],
        reporter: Reporter | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Train the recognizer of this name from these releases, or leave the one that came of them before."""
        classes, labels = self._config.corpus.classes, self._config.corpus.emotions
        releases = _in_order(releases)
        seed, identity = self._identity(name, releases)
        if self._is_trained(name, identity):
            return
        acceleration = Acceleration.of(self._config.runtime)
        cost = self._method.cost(self._settings, self._space, classes)
        require_memory(f"training the recognizer {self._method.name}", cost.bytes, acceleration.device)
        snapshots = self._folder / FOLDER / name / SNAPSHOTS
        around = Surroundings(
            acceleration,
            reporter=reporter or Reporter(),
            # A folder for each identity: what was begun from other releases is not gone on with.
            snapshots=Snapshots(snapshots / hash_identity(identity), identity, labels, {}),
            report_every=25,
            snapshot_every=max(cost.steps // KEPT, 1),
            stop=stop,
        )
        pool = self._pool(releases, acceleration.device)
        weights = self._method.train(pool, self._settings, self._space, classes, seed, around)
        save_model(self.where(name), Model(self._card(releases, seed), weights), identity=identity)
        shutil.rmtree(snapshots, ignore_errors=True)

    def train_all(self, pools: Mapping[str, Sequence[Banked]], reporter_of: Callable[[str], Reporter]) -> Iterator[str]:
        """Train a recognizer from each of several pools, as many at once as pays; the answer is who is done."""
        device = Acceleration.of(self._config.runtime).device
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
        """The folder of a trained recognizer: a model that needs nothing else."""
        return self._folder / FOLDER / name / MODEL

    def load(self, name: str) -> dict[str, Tensor]:
        """The weights of a trained recognizer."""
        return read_tensors(self.where(name))[0]

    def digest(self, name: str) -> str:
        """What the weights of a trained recognizer hash to on the wire."""
        return weights_digest({"recognizer": self.load(name)})

    def made_of(self, name: str) -> frozenset[str]:
        """The releases that a trained recognizer was trained on; none where it is not there."""
        try:
            card: Card = read_tensors(self.where(name))[1]
            return frozenset(map(str, card["identity"]["releases"]))
        except (UserError, LookupError, TypeError):
            return frozenset()

    def refuse_another(self, name: str, releases: Sequence[Banked]) -> None:
        """Refuse a place where a recognizer of this name was trained otherwise, or has begun to be."""
        place, identity = self._folder / FOLDER / name, self._identity(name, releases)[1]
        begun = [folder.name for folder in (place / SNAPSHOTS).glob("*")]
        if begun and hash_identity(identity) not in begun:
            raise UserError("another training has begun here", where=place, remedy="choose another --run")
        if self.where(name).exists() and not self._is_trained(name, identity):
            what = "a recognizer of other generators or settings is here already"
            raise UserError(what, where=self.where(name), remedy="choose another --run")

    def require_room(self, pools: Iterable[Sequence[Banked]]) -> None:
        """Refuse, before anything is drawn for these lists of releases, to fill more disk than is granted."""
        sampling = self._config.sampling
        pools = list(pools)
        files = {
            (one.name, numbers)
            for pool in pools
            for one, numbers in zip(
                pool,
                kept_numbers([one.card.known for one in pool], sampling.per_emotion, self._config.corpus.classes),
                strict=True,
            )
        }
        size = sample_bytes(self._space) * sum(sum(numbers) for _, numbers in files)
        if size > self._config.campaign.pool_gigabytes * 1e9:
            raise UserError(
                f"the pool would fill {size / 1e9:.1f} GB, more than campaign.pool_gigabytes grants",
                where=self._folder,
                remedy="set campaign.pool_gigabytes higher, or sampling.per_emotion lower",
            )

    def drop_pool(self) -> None:
        """Free the disk: what was drawn can be drawn again from the bank, bit for bit."""
        shutil.rmtree(self._folder / POOL, ignore_errors=True)

    def _identity(self, name: str, releases: Iterable[Banked]) -> tuple[int, dict[str, object]]:
        """A recognizer's seed, and all that defines what it becomes."""
        seed = derive_seed(self._config.seed, "recognizer", name)
        names = [banked.name for banked in _in_order(releases)]
        read = {
            "recognizer": self._method.name,
            "settings": self._settings.model_dump(mode="json"),
            "sampling": self._config.sampling.model_dump(mode="json"),
            "labels": list(self._config.corpus.emotions),
        }
        return seed, {**read, "releases": names, "seed": seed}

    def _card(self, releases: Sequence[Banked], seed: int) -> ModelCard:
        """What its model tells: as its generators are, so that no configuration is needed beside it."""
        tuning = releases[0].card.tuning
        synthesizers = ", ".join(sorted({one.card.tuning.synthesizer for one in releases}))
        config = self._config
        begun = f"configuration {config.name}, identity {config.identity_hash()}, seed {config.seed}"
        drawn = f"{config.sampling.per_emotion} samples an emotion of {len(releases)} released generators"
        return ModelCard(
            extractor=extractor_of(self._space, self._config.vectors),
            recognizer=self._method.name,
            settings=self._settings.model_dump(mode="json"),
            labels=tuning.labels,
            space=self._space,
            features=self._config.features,
            vectors=self._config.vectors,
            scaling=tuning.scaling and Scaling(tuning.scaling.low, tuning.scaling.high),
            trained_on=f"{drawn} ({synthesizers}), and no recording; {begun}",
            sources=tuple(one.name for one in releases),
            seed=seed,
            audit={AUDITS: {one.name: AUDITED[one.card.audit] for one in releases}},
        )

    def _is_trained(self, name: str, identity: dict[str, object]) -> bool:
        """One that is damaged, or came of other releases, is trained again."""
        try:
            card: Card = read_tensors(self.where(name))[1]
        except UserError:
            return False
        return bool(card.get("identity") == identity)

    def _pool(self, releases: Sequence[Banked], device: torch.device) -> Examples:
        seed, sampling, classes = self._config.seed, self._config.sampling, self._config.corpus.classes
        sources = [
            Source(
                one.name,
                source_seed(seed, one.session, one.card.tuning.recipe.drawn_by),
                partial(self._sampler, one, device),
                one.card.known,
            )
            for one in releases
        ]
        return KeptPool.draw(self._folder / POOL, sources, sampling, self._space, classes, seed)

    def _sampler(self, banked: Banked, device: torch.device) -> Sampler:
        return sampler_in(self._bank, banked, device)


def require_every_emotion(releases: Collection[Banked], labels: Sequence[str]) -> None:
    """Refuse to train where nothing can be drawn of an emotion, whichever releases are pooled."""
    known = {emotion for one in releases for emotion in one.card.emotions}
    if missing := [label for label in labels if label not in known]:
        raise UserError(
            f"no site holds speech that is {' or '.join(missing)}",
            where=", ".join(one.name for one in releases),
            remedy="ask a site that has some, or leave it out of corpus.emotions at the server and at every site",
        )


def _in_order(releases: Iterable[Banked]) -> list[Banked]:
    """The same pool, whatever order generators arrived in."""
    return sorted(releases, key=lambda banked: (banked.run, banked.session))
