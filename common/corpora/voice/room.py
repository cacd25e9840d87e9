"""Where an utterance is said and what records it: a short reverberation, a band, a noise floor, a gain.

Owns the way from mouth to file. Must not know what is said.
"""

from dataclasses import dataclass

import numpy as np
from scipy import signal

from common.corpora.voice.source import Signal
from common.space import SAMPLE_RATE


@dataclass(frozen=True)
class Room:
    """One session's room and channel."""

    response: Signal
    band: Signal  # second-order sections
    floor: float  # root mean square of the noise
    gain: float

    def record(self, wave: Signal, stream: np.random.Generator) -> Signal:
        """The wave as this room's microphone hears it."""
        heard = signal.oaconvolve(wave, self.response)[: len(wave)]
        hum = self.floor * signal.lfilter([1], [1, -0.7], stream.standard_normal(len(wave)))
        recorded: Signal = self.gain * signal.sosfilt(self.band, heard + hum)
        return recorded


def draw_room(stream: np.random.Generator) -> Room:
    """A room of its own: 0.15 to 0.45 s of reverberation, a band between telephone and studio."""
    decay = stream.uniform(0.15, 0.45)
    times = np.arange(int(decay * SAMPLE_RATE)) / SAMPLE_RATE
    tail = stream.standard_normal(len(times)) * np.exp(-6.9 * times / decay)
    tail[: int(0.004 * SAMPLE_RATE)] = 0
    tail *= 10 ** (stream.uniform(-16, -7) / 20) / np.linalg.norm(tail)
    tail[0] = 1
    corners = (stream.uniform(60, 160), stream.uniform(4500, 7500))
    band = signal.butter(1, corners, btype="bandpass", fs=SAMPLE_RATE, output="sos")
    return Room(tail, band, floor=10 ** (stream.uniform(-68, -54) / 20), gain=10 ** (stream.uniform(-3, 3) / 20))
