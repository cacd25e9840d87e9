"""What drives the vocal tract: glottal pulses with jitter and shimmer, and breath that rides on them.

Owns excitation. Must not know formants, syllables or emotions.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from common.space import SAMPLE_RATE

Signal = NDArray[np.float64]

_REACH = 8  # samples either side of a pulse: it falls between samples, so a windowed sinc carries it


def glottal_pulses(pitch: Signal, stream: np.random.Generator, *, jitter: float = 0.0, shimmer: float = 0.0) -> Signal:
    """One unit pulse a cycle of `pitch` (hertz at each sample), band-limited so that a high voice does not alias.

    `jitter` and `shimmer` are the deviations of a pulse's time (in cycles) and of its height (of 1).

    >>> steady = glottal_pulses(np.full(16_000, 100.0), np.random.default_rng(0))
    >>> round(steady.sum())
    99
    """
    cycles = np.cumsum(pitch) / SAMPLE_RATE
    numbers = np.arange(np.ceil(cycles[0]), np.floor(cycles[-1]))
    numbers = np.clip(numbers + jitter * stream.standard_normal(len(numbers)), cycles[0], cycles[-1])
    heights = 1 + shimmer * stream.standard_normal(len(numbers))
    times = np.interp(numbers, cycles, np.arange(len(pitch), dtype=float))
    nearest = np.rint(times).astype(int)
    taps = nearest[:, None] + np.arange(-_REACH, _REACH + 1)
    distance = taps - times[:, None]
    shapes = heights[:, None] * np.sinc(distance) * np.cos(np.pi * distance / (2 * _REACH + 2)) ** 2
    inside = (taps >= 0) & (taps < len(pitch))
    pulses: Signal = np.bincount(taps[inside], weights=shapes[inside], minlength=len(pitch)).astype(np.float64)
    return pulses


def voiced_source(
    pitch: Signal, stream: np.random.Generator, *, corner: float, jitter: float = 0.0, shimmer: float = 0.0
) -> Signal:
    """Pulses through the folds' low-pass and the lips' radiation, at unit power.

    Above `corner` (hertz) the folds fall by another 6 dB an octave: low is lax and dark, high is tense and bright.
    """
    pulses = glottal_pulses(pitch, stream, jitter=jitter, shimmer=shimmer)
    opening, closing = np.exp(-2 * np.pi * np.array([100.0, corner]) / SAMPLE_RATE)
    flow = signal.lfilter([1, -1], np.poly([opening, closing]), pulses)
    return _unit_power(flow)


def breath_source(pitch: Signal, stream: np.random.Generator) -> Signal:
    """Noise that swells once a cycle, as air does while the folds stand open, at unit power."""
    swell = 0.6 + 0.4 * np.cos(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE)
    return _unit_power(swell * stream.standard_normal(len(pitch)))


def hiss_source(samples: int, stream: np.random.Generator) -> Signal:
    """Noise of a narrow passage, weak in the low frequencies, at unit power."""
    return _unit_power(np.diff(stream.standard_normal(samples + 1)))


def _unit_power(wave: Signal) -> Signal:
    power = float(np.mean(wave**2))
    return wave / np.sqrt(power) if power > 0 else wave
