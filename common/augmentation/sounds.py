"""Recordings changed so that their emotion stays: slower, higher, with hiss, with others talking behind.

Owns the four changes and their sizes. Must not know corpora, classes, or why a recording is changed.

Chatziagapi et al. (2019), section 2.5, name the changes and not their sizes. A level is that of a whole recording, its
pauses counted in.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from common.augmentation.plans import Kind, Plan
from common.errors import UserError
from common.seeds import numpy_stream
from common.space import SAMPLE_RATE

Sound = NDArray[np.float32]

RATES = (0.8, 1.25)
SEMITONES = (-2.0, 2.0)
DECIBELS = (10.0, 25.0)
"""Of speech over noise."""
FRAME = 1024
"""Samples that are taken apart together: 64 ms, longer than a period of any voice."""
LOUDEST = 32767 / 32768
"""What 16 bits can hold."""


class Background(Protocol):
    """Where background noise comes from."""

    def take(self, samples: int, stream: np.random.Generator) -> Sound:
        """So many samples, not all of them zero."""
        ...


def changed_sounds(plan: Plan, sound: Callable[[int], Sound], background: Background, *, seed: int) -> Iterator[Sound]:
    """What the plan changes, in its order; each from chances of its own, whoever makes it."""
    for number, one in enumerate(plan.changed):
        yield change(sound(one.source), one.kind, background, numpy_stream(seed, "changed sound", number))


def change(sound: Sound, kind: Kind, background: Background, stream: np.random.Generator) -> Sound:
    """One recording at 16 kHz, changed in one way; no louder than 16 bits hold."""
    if not sound.any():
        raise UserError("a recording is silent from end to end", remedy="leave it out")
    if kind == "TS":
        made = stretched(sound, stream.uniform(*RATES))
    elif kind == "PS":
        made = shifted(sound, stream.uniform(*SEMITONES))
    elif kind == "GN":
        hiss = stream.standard_normal(len(sound), dtype=np.float32)
        made = mixed(sound, hiss, stream.uniform(*DECIBELS))
    else:
        behind = background.take(len(sound), stream)
        made = mixed(sound, behind, stream.uniform(*DECIBELS))
    loudest = float(np.abs(made).max())
    return np.asarray(made * min(1.0, LOUDEST / loudest), dtype=np.float32)


def stretched(sound: Sound, rate: float) -> Sound:
    """Faster by `rate`, at the same pitch."""
    from librosa.effects import time_stretch

    return np.asarray(time_stretch(_long_enough(sound), rate=rate, n_fft=FRAME), dtype=np.float32)


def shifted(sound: Sound, semitones: float) -> Sound:
    """Higher by so many semitones, at the same pace."""
    from librosa.effects import pitch_shift

    made = pitch_shift(_long_enough(sound), sr=SAMPLE_RATE, n_steps=semitones, n_fft=FRAME, res_type="soxr_hq")
    return np.asarray(made, dtype=np.float32)


def mixed(sound: Sound, noise: Sound, decibels: float) -> Sound:
    """With noise whose power is so many decibels below the sound's."""
    ratio = np.mean(np.square(sound, dtype=np.float64)) / np.mean(np.square(noise, dtype=np.float64))
    return np.asarray(sound + np.sqrt(ratio / 10 ** (decibels / 10)) * noise, dtype=np.float32)


def _long_enough(sound: Sound) -> Sound:
    if len(sound) < FRAME:
        raise UserError(f"a recording of {len(sound)} samples is too short to be stretched", remedy="leave it out")
    return sound
