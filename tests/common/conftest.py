"""Patches from nothing: each class is a band of its own, each step has its own noise; networks of one channel."""

from dataclasses import dataclass

import pytest
import torch

from common.config.tree import Config
from common.networks.acceleration import Acceleration
from common.seeds import torch_stream
from common.settings import EMOTIONS
from common.spaces import PATCHES, Patches, Space, Vectors
from common.synthesizers.methods import eskimez
from common.training.draws import one_of
from common.training.phases import Surroundings
from common.training.stages import Pair, train_adversarial, train_autoencoder


@dataclass(frozen=True)
class Batch:
    """Patches and their classes."""

    values: torch.Tensor
    labels: torch.Tensor


@dataclass(frozen=True)
class Bands:
    """What `common.features.patches` gives, from nothing."""

    classes: int = 4
    labelled: bool = True
    held: tuple[int, ...] = ()

    def batch(self, step: int, size: int, stream: str) -> Batch:
        draw = torch_stream("bands", stream, step)
        labels = one_of(self.held or range(self.classes))(size, draw)
        patches = -0.8 + 0.1 * torch.randn(size, 1, 128, 128, generator=draw)
        for patch, label in zip(patches, labels, strict=True):
            patch[0, 32 * label : 32 * label + 16] += 1
        return Batch(patches.clamp(-1, 1), labels if self.labelled else torch.full_like(labels, -1))


@dataclass(frozen=True)
class Rows:
    """Vectors around a number that tells their class."""

    space: Vectors
    labelled: bool = True
    held: tuple[int, ...] = ()

    def batch(self, step: int, size: int, stream: str) -> Batch:
        draw = torch_stream("rows", stream, step)
        labels = one_of(self.held or range(len(EMOTIONS)))(size, draw)
        rows = torch.randn(size, *self.space.shape, generator=draw) + labels[:, None]
        return Batch(rows, labels if self.labelled else torch.full_like(labels, -1))

    def everything(self) -> Batch:
        return self.batch(0, 160, "everything")


SPACES: dict[type, Space] = {Patches: PATCHES, Vectors: Vectors(set="tiny", size=8)}
"""One of each kind."""


_CODES = {"iterations": 4, "batch": 8, "code": 4, "noise": 4, "hidden": 6, "inner": 5, "autoencoder_every": 2}
_PAIR = {"iterations": 4, "batch": 8, "noise": 4, "hidden": 6, "inner": 5}
_SAHU = {"iterations": 4, "batch": 8, "width": 0.01}
ADDED = {
    "adan": _CODES,
    "wadan": _CODES,
    "gan": _PAIR,
    "cgan": _PAIR,
    "m1": _SAHU,
    "m2": _SAHU,
    "m3": _SAHU | {"code": 4, "noise": 4},
    "dnn": {"iterations": 4, "batch": 8, "hidden": 6, "learning_rate": 0.01},
    "vgg19": {"iterations": 4, "batch": 2, "width": 1 / 64},
    "cyclegan": {"iterations": 4, "start": 2, "classifier": 2, "batch": 4, "hidden": 6},
}
"""Methods that bring a section of settings, as small and short as can be."""


def fresh(config: Config) -> Pair:
    """Untrained networks of a configuration."""
    return Pair.fresh(config.network, config.corpus.classes, config.seed)


def autoencode(pair, patches, config, seed, around):
    return train_autoencoder(pair, patches, config.pretraining.autoencoder, config.optimizer, seed, around)


def oppose(pair, patches, config, seed, around):
    return train_adversarial(pair, patches, config.pretraining.adversarial, config.optimizer, seed, around)


def tune(pair, patches, config, seed, around):
    return eskimez.finetune(pair, patches, eskimez.SYNTHESIZER.settings_of(config), seed, around)


STAGES = {"autoencoder": autoencode, "adversarial": oppose, "finetuning": tune}
"""Each of (pair, patches, config, seed, around), the sections of the configuration that it reads taken out of it."""


@pytest.fixture(name="fresh")
def fresh_networks():
    return fresh


@pytest.fixture(scope="session")
def stages():
    return STAGES


@pytest.fixture
def bands() -> Bands:
    return Bands()


@pytest.fixture
def space_of():
    return SPACES


@pytest.fixture
def source_of(bands):
    """Labelled examples of each kind of space."""
    return {Patches: bands, Vectors: Rows(SPACES[Vectors])}


@pytest.fixture
def unlabelled_of():
    return {Patches: Bands(labelled=False), Vectors: Rows(SPACES[Vectors], labelled=False)}


@pytest.fixture
def config() -> Config:
    """One channel where the paper has 64; four steps a stage."""
    return Config.model_validate(
        {
            "network": {"width": 1 / 64, "noise": 8},
            "pretraining": {
                "autoencoder": {"iterations": 4, "batch": 2, "learning_rate": 1e-3},
                "adversarial": {
                    "iterations": 4,
                    "batch": 2,
                    "generator_learning_rate": 1e-3,
                    "discriminator_learning_rate": 2e-3,
                    "average": 0.9,
                },
            },
            "finetuning": {
                "iterations": 4,
                "batch": 2,
                "generator_learning_rate": 1e-3,
                "discriminator_learning_rate": 2e-3,
                "average": 0.9,
            },
            "chatziagapi": {"code": 4, "autoencoder_iterations": 3, "iterations": 3, "batch": 4, "learning_rate": 1e-3},
            **ADDED,
            "recognizer": {
                "iterations": 4,
                "batch": 2,
                "learning_rate": 1e-3,
                "decay_every": 2,
                "augmentation": ["gain", "tilt"],
            },
            "runtime": {"device": "cpu", "precision": "fp32"},
        }
    )


@pytest.fixture
def around(config: Config) -> Surroundings:
    return Surroundings(Acceleration.of(config.runtime), report_every=2, snapshot_every=2)
