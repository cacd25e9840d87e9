"""A delivery is heard in the sound: pitch, tempo, level, brightness, breath and pauses."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from common.corpora.voice import Delivery, Speaker, speak
from common.seeds import numpy_stream
from common.space import SAMPLE_RATE

MAN = Speaker(pitch=115, formant_scale=1.0)
WOMAN = Speaker(pitch=205, formant_scale=1.16)
LEVEL = Delivery(range=0.0, slope=0.0, finale=0.0)


def say(delivery, speaker=MAN, seconds=2.0, seed=0):
    return speak(speaker, delivery, seconds, numpy_stream(seed, "speech"))


def centroid(wave):
    power = np.abs(np.fft.rfft(wave)) ** 2
    return (power * np.fft.rfftfreq(len(wave), 1 / SAMPLE_RATE)).sum() / power.sum()


def silence(wave):
    frames = np.sqrt((wave[: len(wave) // 160 * 160].reshape(-1, 160) ** 2).mean(axis=1))
    return (frames < 0.02 * frames.max()).mean()


@given(hertz=st.floats(85, 260), semitones=st.floats(-4, 6), seed=st.integers(0, 50))
def test_the_pitch_asked_for_is_the_pitch_measured(pitch_of, hertz, semitones, seed):
    wave = say(replace(LEVEL, pitch=semitones), Speaker(hertz, 1.0), seed=seed)
    assert pitch_of(wave) == pytest.approx(hertz * 2 ** (semitones / 12), rel=0.05)


def test_the_same_seed_says_the_same_and_another_something_else():
    assert np.array_equal(say(Delivery()), say(Delivery()))
    assert not np.array_equal(say(Delivery())[:8000], say(Delivery(), seed=1)[:8000])


@given(seconds=st.floats(1.5, 3.0), tempo=st.floats(2.6, 7.5), seed=st.integers(0, 50))
def test_the_length_is_about_what_was_asked_at_any_tempo(seconds, tempo, seed):
    wave = say(Delivery(tempo=tempo, pauses=0.0), seconds=seconds, seed=seed)
    assert len(wave) / SAMPLE_RATE == pytest.approx(seconds, abs=0.3)
    assert np.isfinite(wave).all()


def air(wave):
    """Share of the power above 4 kHz in a typical loud window: harmonics fade there, breath does not."""
    _, _, power = signal.spectrogram(wave, SAMPLE_RATE, nperseg=512)
    loud = power[:, power.sum(axis=0) > np.median(power.sum(axis=0))]
    return np.median(loud[128:].sum(axis=0) / loud.sum(axis=0))


def swells(wave):
    """How often a second the loudness rises through its mean."""
    envelope = np.convolve(np.abs(wave), np.ones(640) / 640, mode="valid")[::160]
    loud = envelope > envelope.mean()
    return (~loud[:-1] & loud[1:]).sum() / len(wave) * SAMPLE_RATE


@pytest.mark.parametrize(
    ("setting", "low", "high", "measure"),
    [
        ("level", -40.0, -25.0, lambda wave: np.sqrt(np.mean(wave**2))),
        ("brightness", 8.5, 12.0, centroid),
        ("breath", -30.0, -4.0, air),
        ("pauses", 0.0, 1.0, silence),
        ("tempo", 3.0, 6.5, swells),
    ],
)
def test_a_setting_is_heard(setting, low, high, measure):
    def mean(value):
        return np.mean([measure(say(replace(LEVEL, **{setting: value}), seed=seed)) for seed in range(6)])

    assert mean(high) > 1.15 * mean(low)


def test_a_wide_range_and_a_rising_end_are_heard_in_the_pitch(pitch_of):
    flat, lively, rising = (
        np.mean([pitch_of(say(delivery, seed=seed)[-8000:]) for seed in range(8)])
        for delivery in (LEVEL, replace(LEVEL, range=8.0), replace(LEVEL, finale=8.0))
    )
    assert flat == pytest.approx(MAN.pitch, rel=0.05)
    assert lively > 1.05 * flat
    assert rising > 1.05 * flat


def test_a_shorter_tract_has_higher_formants():
    def long_term_peak(speaker):
        waves = np.concatenate([say(replace(LEVEL, breath=-3.0), speaker, seed=seed) for seed in range(8)])
        frequencies, power = signal.welch(waves, SAMPLE_RATE, nperseg=512)
        upper = (frequencies > 3000) & (frequencies < 4500)  # the fourth formant, the same in every vowel
        return frequencies[upper][power[upper].argmax()]

    assert long_term_peak(MAN) == pytest.approx(3500, abs=150)
    assert long_term_peak(WOMAN) == pytest.approx(3500 * WOMAN.formant_scale, abs=200)
