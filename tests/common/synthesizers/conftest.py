"""What a fit is given in a test: speech from nothing, a base of chance, a few steps on one channel."""

from dataclasses import dataclass

import pytest
import torch

from common.seeds import torch_stream
from common.settings import EMOTIONS
from common.spaces import PATCHES, Patches, Vectors
from common.synthesizers import Fitting
from common.synthesizers.methods import chatziagapi


@dataclass(frozen=True)
class Rows:
    """Vectors around the mean of their class."""

    space: Vectors

    def batch(self, step, size, stream):
        chance = torch_stream("rows", stream, step)
        labels = torch.randint(len(EMOTIONS), (size,), generator=chance)
        return Labelled(torch.randn(size, *self.space.shape, generator=chance) + labels[:, None], labels)


@dataclass(frozen=True)
class Labelled:
    patches: torch.Tensor
    labels: torch.Tensor


@pytest.fixture
def space_of():
    """A space of each kind."""
    return {Patches: PATCHES, Vectors: Vectors(set="tiny", size=8)}


@pytest.fixture
def fitting_of(bands, around, space_of):
    """A function that hands a synthesizer all that its fit may see."""

    def make(method, settings, kind=Patches, seed=1, around=around):
        chance = torch_stream("base")
        shapes = method.base(settings, len(EMOTIONS))
        base = {name: 0.1 * torch.randn(shape, generator=chance) for name, shape in shapes.items()}
        space = space_of[kind]
        source = bands if kind is Patches else Rows(space)
        return Fitting(lambda balanced: source, base, EMOTIONS, space, seed, around)

    return make


@pytest.fixture(autouse=True)
def _few_codes(monkeypatch):
    monkeypatch.setattr(chatziagapi, "CODED", 64)
