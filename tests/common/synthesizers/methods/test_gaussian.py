"""A Gaussian's samples have its speech's moments, and what leaves is less than its speech spans."""

from dataclasses import dataclass

import pytest
import torch

from common.errors import UserError
from common.features.patches import Batch
from common.seeds import torch_stream
from common.settings import EMOTIONS
from common.spaces import Vectors
from common.synthesizers import Fitting
from common.synthesizers.methods.gaussian import SYNTHESIZER, GaussianConfig, Settings

SIZE = 12
SPACE = Vectors(set="tiny", size=SIZE, scale="session")
RAW = SPACE.model_copy(update={"scale": "raw"})
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Rows:
    """Rows that can be read whole."""

    values: torch.Tensor
    labels: torch.Tensor

    def batch(self, step, size, stream):
        return Batch(self.values[:size], self.labels[:size])

    def everything(self):
        return Batch(self.values, self.labels)


def speech(count=400, *, scale=1.0, emotions=(0, 1, 2, 3)):
    """Emotions around means of their own; the first two numbers go together, the last one is louder."""
    draw = torch_stream("gaussian", count)
    labels = torch.tensor(emotions).repeat(count)[:count]
    values = torch.randn(count, SIZE, generator=draw)
    values[:, 1] = 0.9 * values[:, 0] + 0.3 * values[:, 1]
    values[:, -1] *= 3
    return Rows(scale * (values + 2.0 * labels[:, None]), labels)


def fit(rows, around, space=SPACE, **settings):
    own = Settings(gaussian=GaussianConfig(**settings))
    return SYNTHESIZER.fit(Fitting(lambda balanced: rows, {}, EMOTIONS, space, 0, around), own), own


def drawn(weights, own, emotion, space=SPACE, count=20_000):
    sampler = SYNTHESIZER.sampler(weights, own, space, 4, CPU)
    return sampler.sample(torch.full((count,), emotion), torch_stream("draw"))


@pytest.mark.parametrize("covariance", ["pooled", "each"])
def test_samples_have_the_mean_and_the_deviation_of_their_emotion(around, covariance) -> None:
    rows = speech(1600)
    weights, own = fit(rows, around, covariance=covariance)
    for emotion in range(4):
        made, real = drawn(weights, own, emotion), rows.values[rows.labels == emotion]
        assert torch.allclose(made.mean(0), real.mean(0), atol=0.08)
        assert torch.allclose(made.std(0), real.std(0), rtol=0.15)


def test_what_goes_together_in_speech_goes_together_in_samples_and_without_directions_does_not(around) -> None:
    rows = speech()
    weights, own = fit(rows, around, rank=4)
    alone, without = fit(rows, around, rank=0)
    assert float(torch.corrcoef(drawn(weights, own, 1)[:, :2].T)[0, 1]) > 0.7
    assert abs(float(torch.corrcoef(drawn(alone, without, 1)[:, :2].T)[0, 1])) < 0.05


def test_no_more_directions_leave_than_a_quarter_of_the_recordings(around) -> None:
    weights, _ = fit(speech(20), around, rank=16)
    assert weights["factor"].shape == (1, 16, SIZE)
    assert int((weights["factor"][0].abs().sum(dim=1) > 0).sum()) == 5


def test_a_recording_is_not_in_the_span_of_what_leaves(around) -> None:
    rows = speech(20)
    weights, _ = fit(rows, around, rank=16)
    residual = rows.values[0] - weights["mean"][0]
    factor = weights["factor"][0][:5]
    within = torch.linalg.lstsq(factor.T, residual).solution @ factor
    assert float((residual - within).norm() / residual.norm()) > 0.2


def test_shrinkage_moves_variance_and_loses_none(around) -> None:
    rows = speech()
    little, own = fit(rows, around, rank=4, shrinkage=0.01)
    much, other = fit(rows, around, rank=4, shrinkage=0.9)
    assert float(much["factor"].square().sum()) < 0.2 * float(little["factor"].square().sum())
    assert torch.allclose(drawn(little, own, 0).std(0), drawn(much, other, 0).std(0), rtol=0.05)


def test_raw_numbers_come_back_as_they_were_measured(around) -> None:
    rows = speech(scale=5000.0)
    weights, own = fit(rows, around, RAW)
    halved = {name: value.half() for name, value in weights.items()}
    assert all(value.isfinite().all() for value in halved.values())
    made, real = drawn(halved, own, 2, RAW), rows.values[rows.labels == 2]
    assert torch.allclose(made.mean(0), real.mean(0), rtol=0.05)
    assert torch.allclose(made.std(0), real.std(0), rtol=0.15)


def test_an_emotion_that_a_site_lacks_has_no_part_in_the_others(around) -> None:
    weights, own = fit(speech(emotions=(0, 2)), around)
    assert all(value.isfinite().all() for value in weights.values())
    assert float(weights["mean"][1].abs().max()) == 0
    assert float(drawn(weights, own, 2).mean()) == pytest.approx(4.0, abs=0.3)


def test_an_emotion_with_one_recording_is_held_by_the_pooled_covariance_and_by_none_of_its_own(around) -> None:
    rows = speech(40)
    keep = torch.cat([(rows.labels != 3).nonzero().flatten(), (rows.labels == 3).nonzero()[0]])
    few = Rows(rows.values[keep], rows.labels[keep])
    weights, own = fit(few, around)
    assert float(drawn(weights, own, 3).std(0).min()) > 0.5
    with pytest.raises(UserError, match="one recording has no covariance of its own: happy"):
        fit(few, around, covariance="each")


def test_too_little_speech_for_any_covariance_is_an_error(around) -> None:
    with pytest.raises(UserError, match="too few recordings"):
        fit(speech(4), around)


def test_a_wider_latent_spreads_samples_and_leaves_their_mean(around) -> None:
    weights, own = fit(speech(), around)
    sampler = SYNTHESIZER.sampler(weights, own, SPACE, 4, CPU)
    wanted = torch.zeros(5000, dtype=torch.long)
    usual, wide = (sampler.sample(wanted, torch_stream("wide"), scale) for scale in (1.0, 2.0))
    assert torch.allclose(wide.std(0), 2 * usual.std(0), rtol=1e-3)
