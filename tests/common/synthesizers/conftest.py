"""Speech from nothing: each emotion is a band of its own; networks of one channel, a few steps."""

from dataclasses import dataclass

import pytest
import torch

from common.config import Config
from common.features.patches import Batch
from common.networks.acceleration import Acceleration
from common.seeds import torch_stream
from common.synthesizers import Speech, chatziagapi
from common.training.phases import Surroundings
from common.training.stages import Pair


@dataclass(frozen=True)
class Stripes:
    """Patches with noise below and the band of their emotion above it."""

    seed: int

    def batch(self, step, size, stream):
        chance = torch_stream(self.seed, stream, step)
        labels = torch.randint(4, (size,), generator=chance)
        patches = 0.1 * torch.randn(size, 1, 128, 128, generator=chance) - 0.8
        patches[torch.arange(size), 0, 32 * labels] += 1
        return Batch(patches.clamp(-1, 1), labels)


@pytest.fixture
def config():
    rates = {"generator_learning_rate": 1e-3, "discriminator_learning_rate": 1e-3}
    return Config.model_validate(
        {
            "network": {"width": 1 / 64, "noise": 8},
            "finetuning": {"iterations": 3, "batch": 4, **rates},
            "chatziagapi": {"code": 4, "autoencoder_iterations": 3, "iterations": 3, "batch": 4, "learning_rate": 1e-3},
            "runtime": {"device": "cpu", "precision": "fp32"},
        }
    )


@pytest.fixture
def stripes():
    return Stripes(0)


@pytest.fixture
def speech(config):
    return Speech(Pair.fresh(config), lambda seed, balanced: Stripes(seed))


@pytest.fixture
def around(config):
    return Surroundings(Acceleration.from_runtime(config.runtime), report_every=1, snapshot_every=1)


@pytest.fixture(autouse=True)
def _few_codes(monkeypatch):
    monkeypatch.setattr(chatziagapi, "CODED", 64)
