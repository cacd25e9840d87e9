"""The tract rings where it was asked to, moves when it was asked to, and adds nothing to silence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from common.corpora.voice.tract import STEP, resonate
from common.seeds import numpy_stream

RATE = 16_000


def held(values, steps):
    return np.tile(np.array(values, dtype=float), (steps, 1))


def noise(seconds):
    return numpy_stream("noise").standard_normal(round(seconds * RATE / STEP) * STEP)


@given(first=st.floats(250, 900), gap=st.floats(700, 1800))
def test_formants_peak_where_they_were_asked(first, gap):
    wave = noise(2.0)
    steps = len(wave) // STEP
    out = resonate(wave, held([first, first + gap], steps), held([80, 80], steps))
    frequencies, power = signal.welch(out, RATE, nperseg=1024)
    for formant in (first, first + gap):
        near = np.abs(frequencies - formant) < 300
        assert frequencies[near][power[near].argmax()] == pytest.approx(formant, abs=40)


def test_a_resonance_that_stands_still_equals_an_ordinary_filter():
    wave = noise(0.5)
    steps = len(wave) // STEP
    radius, angle = np.exp(-np.pi * 200 / RATE), 2 * np.pi * 1000 / RATE
    denominator = [1, -2 * radius * np.cos(angle), radius**2]
    expected = signal.lfilter([sum(denominator)], denominator, wave)
    out = resonate(wave, held([1000], steps), held([200], steps))
    inside = slice(STEP, -STEP)
    assert np.abs(out - expected)[inside].max() < 1e-3 * np.abs(expected).max()


def test_a_formant_that_moves_is_followed():
    wave = noise(2.0)
    steps = len(wave) // STEP
    out = resonate(wave, np.linspace(500, 2500, steps)[:, None], held([100], steps))
    frequencies, _, power = signal.spectrogram(out, RATE, nperseg=512)
    peaks = frequencies[power.argmax(axis=0)]
    assert np.median(np.abs(peaks - np.linspace(500, 2500, len(peaks)))) < 120


def test_silence_stays_silent_and_sound_keeps_its_length():
    wave = np.zeros(20 * STEP)
    assert not resonate(wave, held([500], 20), held([80], 20)).any()
    wave[5 * STEP : 6 * STEP] = 1
    out = resonate(wave, held([500], 20), held([80], 20))
    assert len(out) == len(wave)
    assert not out[: 4 * STEP].any()
    assert out[5 * STEP : 7 * STEP].any()
