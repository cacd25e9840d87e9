"""Likeness: nothing between the same speech, much where loudness drifts or variety is lost."""

import pytest
import torch

from common.training.likeness import BANDS, energy_distance, sketch

EMOTIONS = 4


def speech(count=64, seed=0, spread=0.1, level=0.0):
    """Patches of noise, each at a loudness of its own."""
    stream = torch.Generator().manual_seed(seed)
    loudness = level + spread * torch.randn(count, 1, 1, 1, generator=stream)
    return loudness + 0.05 * torch.randn(count, 1, 128, 128, generator=stream)


def labels(count=64):
    return torch.arange(count) % EMOTIONS


def apart(made, wanted=None):
    return energy_distance(speech(), labels(), made, labels() if wanted is None else wanted).item()


def test_a_sketch_tells_loudness_by_band_and_how_it_varies():
    steady, restless = torch.zeros(1, 1, 128, 128), torch.zeros(1, 1, 128, 128)
    steady[:, :, :8] = 0.5
    restless[..., ::64] = 1
    restless[..., 1:4] = 1
    assert sketch(steady)[0, :BANDS].tolist() == [0.5] + [0.0] * (BANDS - 1)
    assert sketch(steady)[0, BANDS:].abs().max() == 0
    assert (sketch(restless)[0, BANDS:] > 0.1).all()


def test_speech_drawn_alike_is_not_apart_on_average():
    drawn = [energy_distance(speech(seed=2 * n), labels(), speech(seed=2 * n + 1), labels()) for n in range(40)]
    assert abs(torch.stack(drawn).mean()) < 0.01


@pytest.mark.parametrize("drift", [{"level": 0.2}, {"spread": 0.0}], ids=["another loudness", "no variety"])
def test_drift_and_lost_variety_show(drift):
    assert apart(speech(seed=1, **drift)) > apart(speech(seed=1)) + 0.05


def test_emotions_are_compared_each_with_its_own():
    loud = speech(seed=1)
    loud[labels() == 0] += 0.3
    real = speech()
    real[labels() == 0] += 0.3
    told = energy_distance(real, labels(), loud, labels())
    mistaken = energy_distance(real, labels(), loud, (labels() + 1) % EMOTIONS)
    assert mistaken > told + 0.1


def test_a_step_against_it_brings_variety_back():
    alike = torch.zeros(64, 1, 128, 128, requires_grad=True)
    noise = 0.001 * torch.randn(64, 1, 1, 1, generator=torch.Generator().manual_seed(1))
    before = energy_distance(speech(), labels(), alike + noise, labels())
    before.backward()
    pushed = (alike - 50 * alike.grad + noise).detach()
    assert energy_distance(speech(), labels(), pushed, labels()) < before
    assert pushed.mean((1, 2, 3)).std() > noise.std()


def test_emotions_without_a_pair_say_nothing():
    made = speech(2, seed=1).requires_grad_()
    told = energy_distance(speech(2), torch.tensor([0, 1]), made, torch.tensor([2, 3]))
    told.backward()
    assert told == 0
    assert made.grad.abs().max() == 0
