"""A linear machine hears what it was trained on, standardises what is raw, and does not guess what it never met."""

import pytest
import torch

from common.errors import UserError
from common.features.patches import Batch
from common.networks.acceleration import Acceleration
from common.recognizers.methods import svm
from common.recognizers.methods.svm import RECOGNIZER, Settings, SvmConfig
from common.seeds import torch_stream
from common.spaces import Vectors
from common.training.phases import Interrupted

SPACE = Vectors(set="tiny", size=6, scale="session")
RAW = SPACE.model_copy(update={"scale": "raw"})


class Rows:
    """Emotions that lie apart, each along a number of its own."""

    def __init__(self, emotions=(0, 1, 2, 3), *, units=None, seed=0, far=2.0):
        draw = torch_stream("svm", seed)
        self.labels = torch.tensor(emotions).repeat(60)
        values = torch.randn(len(self.labels), 6, generator=draw)
        values[torch.arange(len(values)), self.labels] += far
        self.values = values if units is None else values * units

    def batch(self, step, size, stream):
        return Batch(self.values[:size], self.labels[:size])

    def everything(self):
        return Batch(self.values, self.labels)


@pytest.fixture
def predictor(around, config):
    def make(rows, space=SPACE, **settings):
        own = Settings(svm=SvmConfig(**settings))
        weights = RECOGNIZER.train(rows, own, space, 4, 3, around)
        return RECOGNIZER.predictor(weights, own, space, 4, Acceleration.of(config.runtime))

    return make


def share(predictor, rows):
    return float((predictor.examples(rows.values).argmax(dim=1) == rows.labels).float().mean())


def test_it_hears_emotions_that_lie_apart_and_none_where_there_is_nothing_to_hear(predictor) -> None:
    assert share(predictor(Rows()), Rows(seed=1)) > 0.75
    assert share(predictor(Rows(far=0.0)), Rows(seed=1, far=0.0)) < 0.4


@pytest.mark.filterwarnings("error")
def test_at_the_end_of_its_budget_it_stops_without_a_word(predictor) -> None:
    assert share(predictor(Rows(far=0.1), c=1e3, rounds=1), Rows()) >= 0


def test_a_dual_problem_that_its_rounds_do_not_solve_has_the_answer_of_the_primal_one(around, monkeypatch) -> None:
    found = []
    for dual in (0, 1000):
        monkeypatch.setattr(svm, "DUAL", dual)
        own = Settings(svm=SvmConfig(c=1e3, rounds=100))
        found.append(RECOGNIZER.train(Rows(far=0.1), own, SPACE, 4, 3, around)["weight"])
    assert torch.equal(*found)


@pytest.mark.parametrize("far", [0.5, 2.0])
def test_the_dual_problem_has_the_answer_of_the_primal_one(around, monkeypatch, far) -> None:
    """The first is solved where examples are few for their numbers, since it takes less time."""
    found = []
    for dual in (0, 1000):
        monkeypatch.setattr(svm, "DUAL", dual)
        weights = RECOGNIZER.train(Rows(far=far), Settings(), SPACE, 4, 3, around)
        found.append(torch.cat([weights["weight"], weights["bias"][:, None]], dim=1))
    primal, dual = found
    assert not torch.equal(primal, dual)  # so two ways were gone
    assert torch.allclose(primal, dual, atol=5e-3 * float(primal.abs().max()))


def test_raw_numbers_of_all_sizes_are_heard_as_well_as_scaled_ones(predictor) -> None:
    units = torch.tensor([1e4, 1e-3, 1.0, 1e6, 10.0, 1e-2])
    assert share(predictor(Rows(units=units), RAW), Rows(units=units, seed=1)) == pytest.approx(
        share(predictor(Rows()), Rows(seed=1)), abs=0.05
    )


def test_an_emotion_that_it_never_met_is_not_heard(predictor) -> None:
    own = predictor(Rows((0, 2)))
    assert set(own.examples(Rows(seed=1).values).argmax(dim=1).tolist()) == {0, 2}


def test_two_emotions_are_two_sides_of_one_plane(predictor) -> None:
    own = predictor(Rows((1, 3)))
    assert share(own, Rows((1, 3), seed=1)) > 0.85


def test_one_emotion_is_an_error(predictor) -> None:
    with pytest.raises(UserError, match="needs two"):
        predictor(Rows((1,)))


def test_utterances_are_a_vector_each_and_chances_sum_to_one(predictor) -> None:
    rows = Rows(seed=1)
    own = predictor(Rows())
    chances = own.utterances(iter(rows.values))
    assert chances.shape == (240, 4)
    assert chances.sum(axis=1) == pytest.approx(1)
    assert chances.argmax(axis=1).tolist() == own.examples(rows.values).argmax(dim=1).tolist()


def test_it_stops_when_asked(predictor) -> None:
    with pytest.raises(Interrupted):
        predictor(Rows()).utterances(iter(Rows().values), lambda: True)
