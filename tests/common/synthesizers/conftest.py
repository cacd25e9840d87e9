"""What a fit is given in a test: speech from nothing, a base of chance, a few steps on one channel."""

import pytest
import torch

from common.seeds import torch_stream
from common.settings import EMOTIONS
from common.spaces import Patches
from common.synthesizers import Fitting
from common.synthesizers.methods import chatziagapi, cyclegan


@pytest.fixture
def fitting_of(around, source_of, space_of):
    """A function that hands a synthesizer all that its fit may see."""

    def make(method, settings, kind=Patches, seed=1, around=around):
        chance = torch_stream("base")
        shapes = method.base(settings, len(EMOTIONS))
        base = {name: 0.1 * torch.randn(shape, generator=chance) for name, shape in shapes.items()}
        return Fitting(lambda balanced: source_of[kind], base, EMOTIONS, space_of[kind], seed, around)

    return make


@pytest.fixture(autouse=True)
def _few_codes(monkeypatch):
    monkeypatch.setattr(chatziagapi, "CODED", 64)


@pytest.fixture(autouse=True)
def public(monkeypatch):
    """Vectors of public speech, in place of those that come with the package."""
    rows = torch.randn(50, 8, generator=torch_stream("public"))
    monkeypatch.setattr(cyclegan, "public_rows", lambda space: rows)
    return rows
