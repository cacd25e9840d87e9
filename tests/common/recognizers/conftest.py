"""Models of every recognizer of the registry, small enough for a test."""

import pytest
import torch

from common.features.scaling import Scaling
from common.recognizers.card import ModelCard, extractor_of
from common.recognizers.model import Model
from common.seeds import torch_stream
from common.settings import EMOTIONS, VectorConfig
from common.spaces import PATCHES, Patches


@pytest.fixture
def model_of(config):
    """An untrained model: of a method, in a space."""

    def make(one, space=PATCHES, **told):
        settings = one.settings_of(config)
        stream = torch_stream("weights")
        shapes = one.shapes(settings, space, len(EMOTIONS))
        weights = {name: torch.randn(shape, generator=stream) for name, shape in shapes.items()}
        card = ModelCard(
            extractor=extractor_of(space, told.get("vectors", VectorConfig())),
            recognizer=one.name,
            settings=settings.model_dump(mode="json"),
            labels=EMOTIONS,
            space=space,
            scaling=Scaling(-16.0, 4.0) if isinstance(space, Patches) else None,
            trained_on="nothing",
        )
        return Model(card.model_copy(update=told), weights)

    return make
