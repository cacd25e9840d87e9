"""The nearest mean hears what it was trained on, makes raw numbers alike, and never hears what it never met."""

import pytest
import torch

from common.errors import UserError
from common.features.patches import Batch
from common.networks.acceleration import Acceleration
from common.recognizers.methods.nearest_mean import RECOGNIZER, Settings
from common.seeds import torch_stream
from common.spaces import Vectors

SPACE = Vectors(set="tiny", size=6, scale="session")
RAW = SPACE.model_copy(update={"scale": "raw"})


class Rows:
    """Emotions that lie apart, each along a number of its own."""

    def __init__(self, emotions=(0, 1, 2, 3), *, units=1.0, seed=0, far=3.0):
        self.labels = torch.tensor(emotions, dtype=torch.long).repeat(60)
        self.values = torch.randn(len(self.labels), 6, generator=torch_stream("nearest mean", seed))
        self.values[torch.arange(len(self.values)), self.labels] += far
        self.values = self.values * units

    def batch(self, step, size, stream):
        return Batch(self.values[:size], self.labels[:size])

    def everything(self):
        return Batch(self.values, self.labels)


@pytest.fixture
def predictor(around, config):
    def make(rows, space=SPACE):
        weights = RECOGNIZER.train(rows, Settings(), space, 4, 3, around)
        told = {name: tuple(shape) for name, shape in RECOGNIZER.shapes(Settings(), space, 4).items()}
        assert {name: tuple(value.shape) for name, value in weights.items()} == told
        return RECOGNIZER.predictor(weights, Settings(), space, 4, Acceleration.of(config.runtime))

    return make


def share(predictor, rows):
    return float((predictor.examples(rows.values).argmax(dim=1) == rows.labels).float().mean())


def test_it_hears_emotions_that_lie_apart_and_guesses_where_there_is_nothing_to_hear(predictor) -> None:
    assert share(predictor(Rows()), Rows(seed=1)) > 0.85
    assert share(predictor(Rows(far=0.0)), Rows(seed=1, far=0.0)) < 0.4


def test_raw_numbers_of_other_units_are_made_alike(predictor) -> None:
    units = torch.tensor([1.0, 1.0, 1.0, 1.0, 1e3, 1e3])
    assert share(predictor(Rows(units=units), RAW), Rows(units=units, seed=1)) > 0.85
    assert share(predictor(Rows(units=units)), Rows(units=units, seed=1)) < 0.6


def test_an_emotion_that_it_never_met_is_never_heard(predictor) -> None:
    told = predictor(Rows((0, 2))).utterances(list(Rows((0, 1, 2, 3)).values))
    assert set(told.argmax(axis=1).tolist()) == {0, 2}
    assert told.sum(axis=1) == pytest.approx(1)


def test_speech_without_labels_cannot_be_trained_on(predictor) -> None:
    rows = Rows()
    rows.labels[0] = -1
    with pytest.raises(UserError):
        predictor(rows)
