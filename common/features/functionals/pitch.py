"""Pitch by autocorrelation: how periodic each frame is, and with which period.

Owns the search and what counts as voiced. Must not know what is made of it.

After Boersma (1993): the autocorrelation of a windowed frame over that of the window, a small price for long periods
against octaves too low, a parabola through the highest peak.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from common.space import SAMPLE_RATE

LONG = 800
FFT = 1152
"""No shorter than a frame and the longest lag, so that ends do not meet; a product of 2 and 3 is fast."""
SHORTEST, LONGEST = SAMPLE_RATE // 600, SAMPLE_RATE // 55
"""Lags: from 600 Hz to 55 Hz."""
OCTAVE = 0.02
"""What a period that is twice as long must be better by."""
VOICED = 0.45
QUIET = 4.0
"""Nepers of power below the loud frames (17 dB) where nothing counts as voiced."""
LOUD = 0.95
FLAT = 1e-6
"""The least bend of a peak, for one of rounding alone has none."""
MOST = 0.999
"""The strength of a perfect period, beyond which the harmonics-to-noise ratio says nothing."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Pitch:
    """By frames: how periodic, the harmonics-to-noise ratio in dB, the period in seconds, whether it is a voice."""

    strength: Array
    harmonics_to_noise: Array
    period: Array
    voiced: NDArray[np.bool_]


def hear_pitch(frames: Array, level: Array) -> Pitch:
    """Of frames [n, LONG] and their log-energies."""
    correlation = _correlation(frames)
    inner = correlation[:, SHORTEST : LONGEST + 1]
    left, right = correlation[:, SHORTEST - 1 : LONGEST], correlation[:, SHORTEST + 1 : LONGEST + 2]
    peak = (inner > left) & (inner >= right)
    found = np.where(peak, inner - _prices(), -np.inf).argmax(axis=1)
    rows = np.arange(len(frames))
    before, here, after = left[rows, found], inner[rows, found], right[rows, found]
    any_peak = peak[rows, found]
    bend = np.minimum(before - 2 * here + after, -FLAT)
    shift = np.where(any_peak, np.clip(0.5 * (before - after) / bend, -0.5, 0.5), 0)
    strength = np.where(any_peak, here - 0.25 * (before - after) * shift, 0)
    strength = np.clip(strength, 0, MOST).astype(np.float32)
    period = ((SHORTEST + found + shift) / SAMPLE_RATE).astype(np.float32)
    voiced = (strength > VOICED) & (level > np.quantile(level, LOUD) - QUIET)
    ratio = np.maximum(strength, 1 - MOST)
    return Pitch(strength, 10 * np.log10(ratio / (1 - ratio)), period, voiced)


def _correlation(frames: Array) -> Array:
    """[n, lags from 0], 1 at lag 0; a frame of silence has none."""
    spectrum = rfft(frames * _window(), FFT)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    correlation = irfft(power, FFT)[:, : LONGEST + 2]
    energy = correlation[:, :1]
    scaled: Array = correlation / np.where(energy > 0, energy, 1) / _of_window()
    return scaled


@cache
def _window() -> Array:
    window: Array = np.hanning(LONG + 1)[:-1].astype(np.float32)
    return window


@cache
def _of_window() -> Array:
    window = np.hanning(LONG + 1)[:-1]
    correlation = irfft(np.square(np.abs(rfft(window, FFT))), FFT)[: LONGEST + 2]
    scaled: Array = (correlation / correlation[0]).astype(np.float32)
    return scaled


@cache
def _prices() -> Array:
    lags = np.arange(SHORTEST, LONGEST + 1)
    return (OCTAVE * np.log2(lags / SHORTEST)).astype(np.float32)
