"""The dense network learns, whatever the units of its numbers."""

import pytest
import torch

from common.recognizers.methods import dnn
from common.recognizers.methods.dnn import RECOGNIZER, DnnConfig, Settings
from common.spaces import Vectors
from common.training.standard import MEAN


class Scaled:
    """Another source in other units."""

    def __init__(self, source, factor):
        self.source, self.factor = source, factor

    def batch(self, step, size, stream):
        batch = self.source.batch(step, size, stream)
        return type(batch)(self.factor * batch.values + self.factor, batch.labels)

    def everything(self):
        batch = self.source.everything()
        return type(batch)(self.factor * batch.values + self.factor, batch.labels)


def test_it_has_the_sizes_of_both_papers():
    space = Vectors(set="IS11", size=4368)
    assert RECOGNIZER.shapes(Settings(), space, 7) == {
        "layers.0.weight": (100, 4368),
        "layers.0.bias": (100,),
        "layers.1.weight": (100, 100),
        "layers.1.bias": (100,),
        "layers.2.weight": (7, 100),
        "layers.2.bias": (7,),
    }
    larger = RECOGNIZER.shapes(Settings(dnn=DnnConfig(hidden=512, layers=4)), space, 4)
    assert [shape[0] for name, shape in larger.items() if name.endswith("bias")] == [512] * 4 + [4]


@pytest.mark.parametrize("scale", ["session", "raw"])
def test_it_learns_what_tells_classes_apart_and_raw_numbers_likewise(source_of, around, scale):
    settings = Settings(dnn=DnnConfig(iterations=200, hidden=16, learning_rate=0.01))
    space = Vectors(set="tiny", size=8, scale=scale)
    source = Scaled(source_of[Vectors], 1e5 if scale == "raw" else 1.0)
    weights = dnn.train(source, settings, space, 4, 0, around)
    assert (MEAN in weights) == (scale == "raw")
    predictor = RECOGNIZER.predictor(weights, settings, space, 4, around.acceleration)
    unheard = source.batch(0, 400, "unheard")
    right = (predictor.examples(unheard.values).argmax(dim=1) == unheard.labels).float().mean()
    assert right > 0.75
    told = predictor.utterances(iter(unheard.values)).argmax(axis=1)
    assert (torch.from_numpy(told) == unheard.labels).float().mean() == right


def test_without_a_scale_of_its_own_raw_numbers_teach_it_nothing(source_of, around):
    """The control of the test above."""
    settings = Settings(dnn=DnnConfig(iterations=200, hidden=16, learning_rate=0.01))
    source = Scaled(source_of[Vectors], 1e5)
    space = Vectors(set="tiny", size=8, scale="session")
    predictor = RECOGNIZER.predictor(
        dnn.train(source, settings, space, 4, 0, around), settings, space, 4, around.acceleration
    )
    unheard = source.batch(0, 400, "unheard")
    assert (predictor.examples(unheard.values).argmax(dim=1) == unheard.labels).float().mean() < 0.7
