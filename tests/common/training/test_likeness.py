"""Likeness: nothing between the same speech, much where loudness drifts or variety is lost."""

import pytest
import torch

from common.training.likeness import BANDS, STATISTICS, energy_distance, loudness

EMOTIONS = 4
EVERY = tuple(STATISTICS)


def speech(count=64, seed=0, spread=0.1, level=0.0):
    """Patches of noise, each at a loudness of its own."""
    stream = torch.Generator().manual_seed(seed)
    loudness = level + spread * torch.randn(count, 1, 1, 1, generator=stream)
    return loudness + 0.05 * torch.randn(count, 1, 128, 128, generator=stream)


def labels(count=64):
    return torch.arange(count) % EMOTIONS


def apart(made, statistics=("loudness",), real=None):
    return energy_distance(speech() if real is None else real, labels(), made, labels(), statistics).item()


def waves(along, cycles, count=64, seed=0, strength=0.3):
    """Patches that rise and fall along time (3) or bands (2), each from a place of its own."""
    stream = torch.Generator().manual_seed(seed)
    turns = cycles * torch.linspace(0, 1, 128).view((1, 1, 1, 128) if along == 3 else (1, 1, 128, 1))
    return strength * torch.sin(2 * torch.pi * (turns + torch.rand(count, 1, 1, 1, generator=stream)))


def striped(seed):
    """Bands that rise and fall, every second one against the others."""
    against = 1 - 2 * (torch.arange(128) // (128 // BANDS) % 2).view(1, 1, 128, 1)
    return waves(3, 4, seed=seed) * against


def test_loudness_is_told_by_band_and_how_it_varies():
    steady, restless = torch.zeros(1, 1, 128, 128), torch.zeros(1, 1, 128, 128)
    steady[:, :, :8] = 0.5
    restless[..., ::64] = 1
    restless[..., 1:4] = 1
    assert loudness(steady)[0, :BANDS].tolist() == [0.5] + [0.0] * (BANDS - 1)
    assert loudness(steady)[0, BANDS:].abs().max() == 0
    assert (loudness(restless)[0, BANDS:] > 0.1).all()


@pytest.mark.parametrize("statistic", EVERY)
def test_speech_drawn_alike_is_not_apart_on_average(statistic):
    drawn = [apart(speech(seed=2 * n), [statistic], speech(seed=2 * n + 1)) for n in range(40)]
    assert abs(sum(drawn) / len(drawn)) < 0.05


@pytest.mark.parametrize("drift", [{"level": 0.2}, {"spread": 0.0}], ids=["another loudness", "no variety"])
def test_drift_and_lost_variety_show(drift):
    assert apart(speech(seed=1, **drift)) > apart(speech(seed=1)) + 0.05


@pytest.mark.parametrize(
    ("statistic", "blind", "made"),
    [
        ("colour", "coupling", speech(seed=1) + 0.2 * (torch.arange(128).view(1, 1, 128, 1) % 8 < 4)),
        ("rhythm", "colour", speech(seed=1) + waves(3, 12, seed=1)),
        ("coupling", "rhythm", speech(seed=1) + striped(1)),
        ("ripple", "rhythm", speech(seed=1) + waves(2, 20, seed=1)),
    ],
    ids=["a finer spectrum", "pulses", "bands against each other", "harmonics"],
)
def test_each_statistic_sees_what_another_is_blind_to(statistic, blind, made):
    real = speech() + waves(3, 4) if statistic == "coupling" else speech()
    assert apart(made, [statistic], real) > 0.5
    assert apart(made, [blind], real) < 0.2


def test_statistics_count_alike_and_are_added():
    made = speech(seed=1, level=0.2)
    assert apart(made, EVERY) == pytest.approx(sum(apart(made, [statistic]) for statistic in EVERY), rel=1e-5)
    assert apart(2 * made, real=2 * speech()) == pytest.approx(apart(made), rel=1e-2)


@pytest.mark.parametrize("count", [1, 8])
def test_silence_has_a_slope_in_every_statistic(count):
    made = torch.full((count, 1, 128, 128), -1.0, requires_grad=True)
    silence = torch.full((count, 1, 128, 128), -1.0)
    energy_distance(silence, labels(count), made, labels(count), EVERY).backward()
    assert made.grad.isfinite().all()


def test_emotions_are_compared_each_with_its_own():
    loud = speech(seed=1)
    loud[labels() == 0] += 0.3
    real = speech()
    real[labels() == 0] += 0.3
    told = energy_distance(real, labels(), loud, labels(), EVERY)
    mistaken = energy_distance(real, labels(), loud, (labels() + 1) % EMOTIONS, EVERY)
    assert mistaken > told + 0.1


def test_a_step_against_it_brings_variety_back():
    alike = torch.zeros(64, 1, 128, 128, requires_grad=True)
    noise = 0.001 * torch.randn(64, 1, 1, 1, generator=torch.Generator().manual_seed(1))
    before = energy_distance(speech(), labels(), alike + noise, labels(), ["loudness"])
    before.backward()
    pushed = (alike - 50 * alike.grad + noise).detach()
    assert energy_distance(speech(), labels(), pushed, labels(), ["loudness"]) < before
    assert pushed.mean((1, 2, 3)).std() > noise.std()


def test_emotions_without_a_pair_say_nothing():
    made = speech(2, seed=1).requires_grad_()
    told = energy_distance(speech(2), torch.tensor([0, 1]), made, torch.tensor([2, 3]), EVERY)
    told.backward()
    assert told == 0
    assert made.grad.abs().max() == 0
