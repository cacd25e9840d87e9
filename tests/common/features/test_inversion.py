"""What was heard can be heard again: a vowel keeps its harmonics and its spectrum."""

import numpy as np
import pytest
import torch

from common.config import FeatureConfig
from common.features.extractor import LogMel
from common.features.inversion import Inversion

PITCH, FORMANTS = 160, (700, 1200, 2500)
CONFIG = FeatureConfig()


def harmonics() -> torch.Tensor:
    return torch.arange(PITCH, 7600, PITCH)


@pytest.fixture(scope="module")
def vowel() -> torch.Tensor:
    """A second of [a], its harmonics as loud as they are near to a formant."""
    loudness = sum(1 / (1 + ((harmonics() - formant) / 100) ** 2) for formant in FORMANTS) + 1e-3
    time = torch.arange(16_000) / 16_000
    waves = torch.sin(2 * torch.pi * harmonics()[:, None] * time + harmonics()[:, None] % 7)
    return 0.1 * (loudness[:, None] * waves).sum(dim=0)


@pytest.fixture(scope="module")
def heard(vowel: torch.Tensor) -> torch.Tensor:
    return Inversion(CONFIG)(LogMel(CONFIG)(vowel))


def likeness(one: torch.Tensor, other: torch.Tensor) -> float:
    """How log-mels correlate."""
    frames = [LogMel(CONFIG)(waveform)[:, :60].flatten().numpy() for waveform in (one, other)]
    return float(np.corrcoef(*frames)[0, 1])


def contrast(waveform: torch.Tensor) -> float:
    """Decibels from the valleys between the first ten harmonics up to the harmonics."""
    power = torch.fft.rfft(waveform[2000:12_000] * torch.hann_window(10_000)).abs().square()
    bins = (harmonics()[:10] * 10_000 / 16_000).long()
    peaks = torch.stack([power[place - 4 : place + 5].sum() for place in bins])
    valleys = torch.stack([power[place - 4 : place + 5].sum() for place in bins + bins[0] // 2])
    return float((10 * torch.log10(peaks / valleys)).median())


def test_a_vowel_keeps_its_spectrum_its_harmonics_and_its_loudness(vowel, heard):
    assert likeness(vowel, heard) > 0.98
    assert contrast(heard) > 20
    assert float(heard.std()) == pytest.approx(float(vowel.std()), rel=0.1)


def test_noise_of_the_same_loudness_passes_for_no_vowel(vowel):
    noise = torch.randn(len(vowel), generator=torch.Generator().manual_seed(0)) * vowel.std()
    assert likeness(vowel, noise) < 0.7
    assert abs(contrast(noise)) < 5


def test_the_same_spectrogram_sounds_the_same_bit_by_bit(vowel):
    log_mel = LogMel(CONFIG)(vowel[:4000])
    torch.rand(1)
    assert torch.equal(Inversion(CONFIG)(log_mel), Inversion(CONFIG)(log_mel))


def test_what_is_too_loud_for_a_file_is_softened_and_not_cut_off(vowel):
    loud = Inversion(CONFIG)(LogMel(CONFIG)(30 * vowel[:4000]))
    assert loud.abs().max() == pytest.approx(1)
    assert (loud.abs() > 0.99).float().mean() < 0.01


def test_silence_stays_silent():
    silence = Inversion(CONFIG)(torch.full((128, 20), float(np.log(CONFIG.floor))))
    assert silence.abs().max() < 1e-2


def test_other_features_are_inverted_too(vowel):
    config = FeatureConfig(fft=1024, window=400, hop=160)
    heard = Inversion(config)(LogMel(config)(vowel[:8000]))
    assert heard.shape == (8000,)
    assert contrast(torch.nn.functional.pad(heard, (0, 8000))) > 5
