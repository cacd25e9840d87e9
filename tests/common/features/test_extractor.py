"""Log-mels are librosa's, to the third digit and in every shape of call."""

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from common.config import FeatureConfig
from common.errors import UserError
from common.features import extractor
from common.features.extractor import LogMel, dead_bands, mel_filters

SETTINGS = [
    FeatureConfig(),
    FeatureConfig(window=400, hop=160),
    FeatureConfig(window=1024, fft=1024),
    FeatureConfig(floor=1e-10),
]


def librosas(waveform: np.ndarray, config: FeatureConfig) -> np.ndarray:
    mel = librosa.feature.melspectrogram(
        y=waveform,
        sr=16_000,
        n_fft=config.fft,
        hop_length=config.hop,
        win_length=config.window,
        window="hann",
        center=True,
        pad_mode="constant",
        power=2,
        n_mels=128,
        norm="slaney",
    )
    return np.log(np.maximum(mel, config.floor))


def farthest(waveform: np.ndarray, config: FeatureConfig) -> float:
    return float(np.abs(LogMel(config)(torch.from_numpy(waveform)).numpy() - librosas(waveform, config)).max())


@pytest.mark.parametrize("config", SETTINGS, ids=["paper", "window shorter than fft", "long window", "low floor"])
def test_log_mels_equal_librosas(config, voice):
    assert farthest(voice(3.0), config) < 1e-3


def test_a_long_waveform_worked_on_in_parts_equals_librosas(config, voice, monkeypatch):
    monkeypatch.setattr(extractor, "_PROCESSOR_FRAMES", 50)
    assert farthest(voice(3.0), config) < 1e-3


@pytest.fixture(params=[93.7, 3012.5, 7421.9])
def tone(request) -> np.ndarray:
    """A loud tone over faint noise: single precision loses the noise."""
    chance = np.random.default_rng(0)
    loud = 0.9 * np.sin(2 * np.pi * request.param * np.arange(48_000) / 16_000)
    return (loud + 1e-6 * chance.standard_normal(48_000)).astype(np.float32)


def test_faint_bands_under_loud_ones_equal_librosas(tone):
    assert farthest(tone, FeatureConfig(floor=1e-9)) < 1e-3


def test_single_precision_alone_would_not_do(tone, monkeypatch):
    monkeypatch.setattr(extractor, "_TRUSTED", 0.0)
    assert farthest(tone, FeatureConfig(floor=1e-9)) > 1e-3


def test_a_batch_is_its_waveforms_one_by_one(config, voice):
    waves = torch.stack([torch.from_numpy(voice(1.0, seed)) for seed in range(3)])
    together = LogMel(config)(waves)
    alone = torch.stack([LogMel(config)(wave) for wave in waves])
    assert together.shape == (3, 128, 63)
    torch.testing.assert_close(together, alone, atol=2e-4, rtol=0)


def test_digital_silence_lies_on_the_floor(config):
    assert (LogMel(config)(torch.zeros(8000)) == np.log(np.float32(config.floor))).all()


@given(samples=st.integers(0, 3000), hop=st.sampled_from([100, 160, 256]))
def test_there_is_a_frame_for_each_hop_and_one_more(samples, hop):
    log_mel = LogMel(FeatureConfig(hop=hop))(torch.ones(samples))
    assert log_mel.shape == (128, 1 + samples // hop)
    assert log_mel.isfinite().all()


@pytest.mark.parametrize("fft", [512, 1024])
def test_filters_are_librosas(fft):
    filters = mel_filters(FeatureConfig(fft=fft))
    expected = librosa.filters.mel(sr=16_000, n_fft=fft, n_mels=128, norm="slaney")
    np.testing.assert_allclose(filters, expected, atol=1e-8)


def test_no_band_is_dead(config):
    assert dead_bands(mel_filters(config)) == ()


def test_a_transform_too_short_for_its_bands_is_refused():
    with pytest.raises(UserError, match=r"bands hold no bin.*features\.fft = 256.*use a longer fft"):
        LogMel(FeatureConfig(fft=256, window=256, hop=128))


def test_the_way_that_a_gpu_goes_equals_librosas_too(config, voice):
    log_mel, wave = LogMel(config), voice(1.0)
    log_mel._quick = None
    assert np.abs(log_mel(torch.from_numpy(wave)).numpy() - librosas(wave, config)).max() < 1e-3
