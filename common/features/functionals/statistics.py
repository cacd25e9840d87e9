"""Fifteen statistics of each descriptor over time.

Owns their definition. Must not know what a descriptor means.

Everything runs over [descriptors, frames] with frames together in memory: one sort gives every percentile.
"""

import numpy as np
from numpy.typing import NDArray

PERCENTILES = (1, 25, 50, 75, 99)
FUNCTIONALS = (
    "mean",
    "deviation",
    "skewness",
    "kurtosis",
    *(f"percentile_{percent}" for percent in PERCENTILES),
    "lower_quartile_range",
    "upper_quartile_range",
    "range",
    "slope",
    "line_error",
    "upper_quarter_share",
)
TINY = 1e-6
"""A deviation below which, relative to the level, a descriptor counts as constant."""
UPPER = 0.75

Array = NDArray[np.float32]


def smoothed_with_delta(descriptors: Array) -> Array:
    """[d, n] -> [2 d, n]: each as the mean of three frames, then its slope over five, a row after the other."""
    count, frames = descriptors.shape
    padded = np.pad(descriptors, ((0, 0), (1, 1)), mode="edge")
    both = np.empty((count, 2, frames), np.float32)
    level = (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) * np.float32(1 / 3)
    wide = np.pad(level, ((0, 0), (2, 2)), mode="edge")
    both[:, 0] = level
    both[:, 1] = (wide[:, 3:-1] - wide[:, 1:-3] + 2 * (wide[:, 4:] - wide[:, :-4])) * np.float32(0.1)
    return both.reshape(2 * count, frames)


def statistics(rows: Array) -> Array:
    """[rows, frames] -> [rows, len(FUNCTIONALS)]."""
    frames = rows.shape[1]
    mean = rows.mean(axis=1, keepdims=True)
    centred = rows - mean
    squares = np.square(centred)
    variance = squares.mean(axis=1)
    deviation = np.sqrt(variance)
    varies = deviation > TINY * (1 + np.abs(mean[:, 0]))
    unit = np.where(varies, deviation, 1)
    skewness = np.where(varies, np.einsum("ij,ij->i", squares, centred) / frames / unit**3, 0)
    kurtosis = np.where(varies, np.einsum("ij,ij->i", squares, squares) / frames / unit**4, 0)
    slope, error = _line(centred, variance)
    ordered = np.sort(rows, axis=1)
    percentiles = _percentiles(ordered)
    low, middle, high = percentiles[1:4]
    least, span = ordered[:, 0], ordered[:, -1] - ordered[:, 0]
    share = (rows > (least + np.float32(UPPER) * span)[:, None]).mean(axis=1)
    columns = [mean[:, 0], deviation, skewness, kurtosis, *percentiles]
    columns += [middle - low, high - middle, span, slope, error, share]
    return np.stack(columns, axis=1).astype(np.float32)


def _percentiles(ordered: Array) -> Array:
    """[percentiles, rows] of rows in order, between neighbours where one falls between."""
    places = np.array(PERCENTILES, np.float32) / 100 * (ordered.shape[1] - 1)
    below = places.astype(np.int64)
    above = np.minimum(below + 1, ordered.shape[1] - 1)
    part = (places - below).astype(np.float32)
    between: Array = (ordered[:, below] * (1 - part) + ordered[:, above] * part).T
    return between


def _line(centred: Array, variance: Array) -> tuple[Array, Array]:
    """The slope of the best line a frame, and what deviates from it."""
    frames = centred.shape[1]
    if frames < 2:
        return np.zeros(len(centred), np.float32), np.zeros(len(centred), np.float32)
    time = np.arange(frames, dtype=np.float32) - np.float32((frames - 1) / 2)
    spread = np.square(time).mean()
    slope = centred @ time / (frames * spread)
    return slope, np.sqrt(np.maximum(variance - np.square(slope) * spread, 0))
