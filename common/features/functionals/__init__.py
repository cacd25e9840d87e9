"""Utterance-level functionals of eyesoff's own: so many numbers that describe how something was said.

Owns their names, their order and the way from a waveform to them. Must not know a corpus, an emotion or a cache.

Written from what papers say of such sets (Schuller et al. 2009 to 2016, Eyben et al. 2016), in numpy and scipy. A
change of any number is another `VERSION`.
"""

import numpy as np
from numpy.typing import NDArray

from common.features.functionals.descriptors import ALWAYS, VOICED, Descriptors, describe
from common.features.functionals.statistics import FUNCTIONALS, smoothed_with_delta, statistics
from common.space import SAMPLE_RATE

VERSION = 1
EXTRAS = ("voiced.share", "voiced.stretches_a_second", "voiced.mean_seconds", "voiced.deviation_seconds", "duration")
KINDS = ("level", "delta")
"""A descriptor smoothed over three frames, and how it moves."""


def _names() -> tuple[str, ...]:
    own = [f"{name}.{kind}.{functional}" for name in ALWAYS for kind in KINDS for functional in FUNCTIONALS]
    voiced = [f"{name}.{kind}.{functional}" for name in VOICED for kind in KINDS for functional in FUNCTIONALS]
    return (*own, *voiced, *EXTRAS)


NAMES = _names()
"""In the order of the vector."""


def functionals(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """[samples] at 16 kHz -> [len(NAMES)]; where nothing is voiced, what speaks of voice is 0."""
    described = describe(waveform)
    always = statistics(smoothed_with_delta(described.always))
    if described.voiced.shape[1]:
        voiced = statistics(smoothed_with_delta(described.voiced))
    else:
        voiced = np.zeros((len(KINDS) * len(VOICED), len(FUNCTIONALS)), np.float32)
    extras = _extras(described, len(waveform) / SAMPLE_RATE)
    return np.concatenate([always.ravel(), voiced.ravel(), extras])


def _extras(described: Descriptors, seconds: float) -> NDArray[np.float32]:
    """The share of voice, and its stretches."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], described.is_voiced.astype(np.int8), [0]))))
    stretches = (edges[1::2] - edges[::2]) * described.frame_seconds
    mean, deviation = (stretches.mean(), stretches.std()) if len(stretches) else (0.0, 0.0)
    share = described.is_voiced.mean()
    return np.array([share, len(stretches) / seconds, mean, deviation, seconds], np.float32)
