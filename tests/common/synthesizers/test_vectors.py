"""What every synthesizer of vectors keeps to: which networks leave, raw numbers, and a site that lacks an emotion."""

from dataclasses import dataclass, replace

import pytest
import torch

from common.errors import UserError
from common.seeds import torch_stream
from common.settings import EMOTIONS
from common.spaces import Patches, Vectors
from common.synthesizers import SYNTHESIZERS
from common.synthesizers.vectors import Material, as_in, one_hot, one_of_those
from common.training.standard import DEVIATION, MEAN

METHODS = [one for one in SYNTHESIZERS if one.spaces == {Vectors}]
every = pytest.mark.parametrize("one", METHODS, ids=lambda one: one.name)
CPU = torch.device("cpu")
LEAVING = {
    "adan": {"generator", "decoder"},
    "wadan": {"generator", "decoder"},
    "gan": {"generators"},
    "cgan": {"generator"},
    "m1": {"decoder"},
    "m2": {"decoder"},
    "m3": {"code_generator", "decoder"},
    "cyclegan": {"generators"},
}
"""Networks that have a say in a release; all others have seen real vectors or would invert a sample."""


@dataclass(frozen=True)
class Batch:
    """Rows and their emotions."""

    values: torch.Tensor
    labels: torch.Tensor


@dataclass(frozen=True)
class Uneven:
    """Vectors far from zero and of uneven sizes, of some emotions alone."""

    emotions: tuple[int, ...]
    scale: float = 1.0

    def everything(self):
        labels = torch.tensor(self.emotions).repeat(10)
        rows = torch.randn(len(labels), 8, generator=torch_stream("uneven")) + labels[:, None]
        return Batch(self.scale * (rows + 5), labels)

    def batch(self, step, size, stream):
        whole = self.everything()
        return Batch(whole.values[:size], whole.labels[:size])


@pytest.fixture
def fit(config, fitting_of):
    def fitted(one, source, scale="session", **sections):
        settings = one.settings_of(config.model_copy(update=sections))
        space = Vectors(set="tiny", size=8, scale=scale)
        fitting = replace(fitting_of(one, settings, Vectors), examples=lambda balanced: source, space=space)
        weights = one.fit(fitting, settings)
        return weights, one.sampler(weights, settings, space, len(EMOTIONS), CPU)

    return fitted


@pytest.mark.parametrize("name", LEAVING)
def test_only_the_halves_that_make_samples_leave(name, fit):
    weights, _ = fit(SYNTHESIZERS.get(name), Uneven((0, 1, 2, 3)))
    assert {key.split(".")[0] for key in weights} == LEAVING[name]


@every
def test_raw_numbers_come_back_raw_and_their_mean_and_deviation_leave(one, fit, config):
    source = Uneven((0, 1, 2, 3), scale=1e4)
    weights, sampler = fit(one, source, "raw")
    space = Vectors(set="tiny", size=8, scale="raw")
    shapes = one.shapes(one.settings_of(config), space, len(EMOTIONS))
    assert {name: tuple(value.shape) for name, value in weights.items()} == dict(shapes)
    assert {MEAN, DEVIATION} <= weights.keys()
    halved = one.sampler(
        {name: value.half() for name, value in weights.items()}, one.settings_of(config), space, len(EMOTIONS), CPU
    )
    real = source.everything().values
    for drawn in (sampler, halved):
        made = drawn.sample(torch.arange(4).repeat(50), torch_stream("a"))
        assert ((made.mean(dim=0) - real.mean(dim=0)).abs() < 2 * real.std(dim=0)).all()


@every
def test_where_an_emotion_is_missing_all_stays_finite(one, fit):
    weights, sampler = fit(one, Uneven((0, 0, 0, 3)))
    assert all(value.isfinite().all() for value in weights.values())
    assert sampler.sample(torch.arange(4).repeat(3), torch_stream("a")).isfinite().all()


@every
def test_one_utterance_of_an_emotion_is_enough_to_end_with_numbers(one, fit):
    class One(Uneven):
        def everything(self):
            whole = super().everything()
            return Batch(whole.values[:11], torch.tensor([0] * 10 + [2]))

    weights, _ = fit(one, One((0, 1)))
    assert all(value.isfinite().all() for value in weights.values())


@every
def test_patches_are_refused_by_name(one, config, fitting_of):
    settings = one.settings_of(config)
    with pytest.raises(UserError, match="is fitted to vectors, not to patches"):
        one.fit(fitting_of(one, settings, Patches), settings)


@pytest.fixture
def material(fitting_of, config):
    def make(labels):
        class Fixed(Uneven):
            def everything(self):
                return Batch(torch.arange(8.0 * len(labels)).view(-1, 8), torch.tensor(labels))

        one = SYNTHESIZERS.get("adan")
        fitting = replace(fitting_of(one, one.settings_of(config), Vectors), examples=lambda balanced: Fixed((0,)))
        return Material.of(fitting, "tried")

    return make


def test_a_classifier_weighs_emotions_where_they_are_uneven_and_only_there(material):
    assert material([0, 0, 0, 1, 1, 2, 2]).weights().tolist() == [1, 1, 1, 0]
    assert material([0, 0, 0, 0, 1, 2, 2]).weights().tolist() == [1, 4, 2, 0]


def test_every_emotion_picks_among_its_own_rows_each_as_likely(material):
    labels = [3, 0, 0, 3, 3]
    members = material(labels).members()
    assert members.present.tolist() == [0, 3]
    picked = members.pick(torch.rand(2000, generator=torch_stream("picked")))
    assert picked.shape == (2, 1000)
    assert set(picked[0].tolist()) == {1, 2}
    assert set(picked[1].tolist()) == {0, 3, 4}
    assert torch.bincount(picked[1])[[0, 3, 4]].float().div(1000).tolist() == pytest.approx([1 / 3] * 3, abs=0.06)
    assert members.pick(torch.tensor([0.0, 0.9999999])).tolist() == [[1], [4]]


def test_emotions_are_drawn_as_often_as_they_occur_or_evenly_and_none_that_does_not():
    labels, stream = torch.tensor([0] * 30 + [2] * 10), torch_stream("labels")
    shares = [torch.bincount(chance(labels)(4000, stream), minlength=4).div(4000) for chance in (as_in, one_of_those)]
    assert shares[0].tolist() == pytest.approx([0.75, 0, 0.25, 0], abs=0.03)
    assert shares[1].tolist() == pytest.approx([0.5, 0, 0.5, 0], abs=0.03)
    assert one_hot(torch.tensor([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]
