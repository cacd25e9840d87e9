"""Frame by frame, what a recording is like: its level, its spectrum, its voice.

Owns the descriptors and how frames are cut. Must not know what is made of a descriptor over time.

A frame is 25 ms in the middle of the 50 ms from which pitch is heard; a new one begins every 10 ms.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct, rfft

from common.features.functionals.pitch import LONG, Pitch, hear_pitch
from common.space import SAMPLE_RATE

SHORT, HOP, FFT = 400, 160, 512
BANDS, CEPSTRA = 26, 14
ROLLOFFS = (25, 50, 85, 95)
LOW, HIGH = (50.0, 1000.0), (1000.0, 5000.0)
"""Hertz of the alpha ratio; the Hammarberg index looks below and above `KNEE`, up to the same end."""
KNEE = 2000.0
FLOOR = 1e-10
"""Of a power, before its logarithm: -100 dB of full scale."""
REFERENCE = 55.0
"""Hertz of the semitone 0."""

ALWAYS = (
    "log_energy",
    "zero_crossings",
    "centroid",
    "spread",
    *(f"rolloff_{share}" for share in ROLLOFFS),
    "flux",
    "log_flatness",
    "alpha_ratio",
    "hammarberg",
    *(f"log_mel_{band + 1}" for band in range(BANDS)),
    *(f"mfcc_{number + 1}" for number in range(CEPSTRA)),
    "periodicity",
    "harmonics_to_noise",
)
"""Descriptors of every frame."""
VOICED = ("semitones", "period_jump", "level_jump")
"""Descriptors of voiced frames alone; the jumps are from one voiced frame to the next, as in jitter and shimmer."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Descriptors:
    """Descriptors by frames, and which frames have a voice."""

    always: Array
    voiced: Array
    is_voiced: NDArray[np.bool_]
    frame_seconds: float = HOP / SAMPLE_RATE


def describe(waveform: Array) -> Descriptors:
    """[samples] -> [len(ALWAYS), frames] and [len(VOICED), voiced frames]."""
    centred = waveform - waveform.mean(dtype=np.float32)
    long = np.lib.stride_tricks.sliding_window_view(centred, LONG)[::HOP]
    margin = (LONG - SHORT) // 2
    short = long[:, margin : margin + SHORT]
    power = _power(short)
    level = np.log(np.einsum("ij,ij->i", short, short) / SHORT + FLOOR)
    pitch = hear_pitch(long, level)
    mel = np.log(_mel_filters() @ power.T + FLOOR)
    always = np.concatenate(
        [
            level[None],
            _crossings(centred, len(level), margin)[None],
            _of_spectrum(power),
            mel,
            _cosines() @ mel,
            pitch.strength[None],
            pitch.harmonics_to_noise[None],
        ]
    )
    return Descriptors(always, _of_voice(pitch, level), pitch.voiced)


def _power(frames: Array) -> Array:
    """[frames, bins], so that a full-scale sine has about a quarter in its bin."""
    spectrum = rfft(frames * _window(), FFT)
    power: Array = np.square(spectrum.real) + np.square(spectrum.imag)
    return power


@cache
def _window() -> Array:
    hann = np.hanning(SHORT + 1)[:-1]
    scaled: Array = (hann / hann.sum()).astype(np.float32)
    return scaled


def _crossings(centred: Array, frames: int, margin: int) -> Array:
    """The share of a frame's steps that go through zero."""
    positive = centred >= 0
    before = np.concatenate(([0, 0], np.cumsum(positive[1:] != positive[:-1])))  # how many lie before a sample
    starts = margin + HOP * np.arange(frames)
    share: Array = ((before[starts + SHORT] - before[starts + 1]) / (SHORT - 1)).astype(np.float32)
    return share


def _of_spectrum(power: Array) -> Array:
    """[descriptors, frames] of the spectrum's shape."""
    hertz = _hertz()
    total = power.sum(axis=1) + FLOOR
    centroid = power @ hertz / total
    spread = np.sqrt(np.maximum(power @ np.square(hertz) / total - np.square(centroid), 0))
    summed = np.cumsum(power, axis=1)
    rolloffs = [(summed < (share / 100) * summed[:, -1:]).sum(axis=1) * hertz[1] for share in ROLLOFFS]
    magnitude = np.sqrt(power)
    magnitude /= magnitude.sum(axis=1, keepdims=True) + FLOOR
    steps = np.diff(magnitude, axis=0)
    flux = np.concatenate(([0], np.sqrt(np.einsum("ij,ij->i", steps, steps))))
    flatness = np.log(power + FLOOR).mean(axis=1) - np.log(power.mean(axis=1) + FLOOR)
    low, high = (power[:, _bins(*band)] for band in (LOW, HIGH))
    alpha = _decibels(low.sum(axis=1)) - _decibels(high.sum(axis=1))
    below, above = power[:, _bins(0, KNEE)], power[:, _bins(KNEE, HIGH[1])]
    hammarberg = _decibels(below.max(axis=1)) - _decibels(above.max(axis=1))
    return np.stack([centroid, spread, *rolloffs, flux, flatness, alpha, hammarberg]).astype(np.float32)


def _of_voice(pitch: Pitch, level: Array) -> Array:
    """[descriptors, voiced frames]."""
    numbers = np.flatnonzero(pitch.voiced)
    if not len(numbers):
        return np.empty((len(VOICED), 0), np.float32)
    periods = pitch.period[numbers]
    semitones = _median_of_five(12 * np.log2(1 / (REFERENCE * periods)))
    follows = np.concatenate(([False], np.diff(numbers) == 1))
    jumps = [
        _where_it_follows(np.abs(np.diff(periods, prepend=periods[:1])) / periods.mean(), follows),
        _where_it_follows(np.abs(np.diff(level[numbers], prepend=level[numbers[:1]])), follows),
    ]
    return np.stack([semitones, *jumps]).astype(np.float32)


def _where_it_follows(jumps: Array, follows: NDArray[np.bool_]) -> Array:
    """The first frame of a stretch has no jump of its own: it takes the mean."""
    usual = jumps[follows].mean() if follows.any() else 0
    return np.where(follows, jumps, usual)


def _median_of_five(values: Array) -> Array:
    padded = np.pad(values, 2, mode="edge")
    median: Array = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    return median


@cache
def _hertz() -> Array:
    return np.linspace(0, SAMPLE_RATE / 2, FFT // 2 + 1, dtype=np.float32)


@cache
def _bins(low: float, high: float) -> slice:
    inside = np.flatnonzero((_hertz() >= low) & (_hertz() < high))
    return slice(int(inside[0]), int(inside[-1]) + 1)


@cache
def _mel_filters() -> Array:
    """[bands, bins]: triangles of height 1, evenly spaced on the mel scale of O'Shaughnessy."""
    top = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)
    width = np.diff(corners)[:, None]
    distance = _hertz() - corners[:, None]
    triangles = np.minimum(distance[:-2] / width[:-1], -distance[2:] / width[1:])
    return np.maximum(triangles, 0).astype(np.float32)


@cache
def _cosines() -> Array:
    """[cepstra, bands]: the cosine transform of a log-mel, without its mean."""
    rows = dct(np.eye(BANDS), norm="ortho", axis=0)[1 : CEPSTRA + 1]
    return np.ascontiguousarray(rows, dtype=np.float32)


def _decibels(power: Array) -> Array:
    level: Array = 10 * np.log10(power + FLOOR)
    return level
