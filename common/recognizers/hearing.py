"""A model listening to recordings: probabilities of a whole one, and of windows in it.

Owns the way from a sound file to what a predictor reads, and which recordings cannot be heard. Must not know how a
model was trained, nor how what it heard is shown.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from common.corpora.audio import AudioError, load, probe
from common.errors import UserError
from common.features.extractor import LogMel
from common.networks.acceleration import Acceleration
from common.recognizers.model import Model
from common.space import SAMPLE_RATE, SIDE
from common.spaces import Patches

SHORTEST = 0.2
"""Seconds; less holds no syllable."""
SILENCE = 1e-4
"""A recording that never goes beyond this part of full scale is silent."""
STEP = 32
"""Frames from one window to the next: half a second; a window lasts as long as a patch."""
SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".au", ".caf", ".w64")
"""Of files in a folder that are taken for recordings."""


@dataclass(frozen=True)
class Window:
    """A part of a recording, in seconds, and how probable each emotion is in it."""

    start: float
    end: float
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Heard:
    """What a model heard in a recording; `probabilities` are in the order of `labels`."""

    path: Path
    seconds: float
    rate: int
    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    windows: tuple[Window, ...] = ()

    @property
    def emotion(self) -> str:
        """The most probable one."""
        return self.labels[int(np.argmax(self.probabilities))]

    @property
    def note(self) -> str:
        """What a listener should know of the recording, if anything."""
        if self.rate >= SAMPLE_RATE:
            return ""
        return f"recorded at {self.rate} Hz, so nothing above {self.rate // 2} Hz could be heard"


class Listener:
    """A model on a machine, ready for recordings."""

    def __init__(self, model: Model, acceleration: Acceleration) -> None:
        if not isinstance(model.card.space, Patches):
            raise UserError(f"the features {model.card.space.set} cannot be made here", where=model.card.recognizer)
        self._labels, self._scaling = model.card.labels, model.scaling
        self._extract, self._predictor = LogMel(model.card.features), model.predictor(acceleration)

    def hear(self, path: Path, *, windows: bool = False) -> Heard:
        """One recording, whole, and in windows where they are wanted."""
        info = probe(path)
        waveform = load(path)
        if info.seconds < SHORTEST:
            raise AudioError(f"it lasts {info.seconds:.2f} s, less than the {SHORTEST:g} s that hold a syllable", path)
        if float(np.abs(waveform).max()) < SILENCE:
            raise AudioError("it is silent", path)
        scaled = self._scaled(waveform)
        whole = self._probabilities([scaled])[0]
        parts = tuple(self._windows(scaled, info.seconds)) if windows else ()
        return Heard(path, info.seconds, info.rate, self._labels, whole, parts)

    def _scaled(self, waveform: NDArray[np.float32]) -> Tensor:
        # Rounded as the cache keeps them: what is heard here is what scores were made of.
        log_mel = self._extract(torch.from_numpy(waveform)).to(torch.float16)
        return self._scaling.apply(log_mel)

    def _windows(self, scaled: Tensor, seconds: float) -> Iterator[Window]:
        """Every half second one, the last at the very end."""
        last = max(scaled.shape[1] - SIDE, 0)
        starts = [*range(0, last, STEP), last]
        heard = self._probabilities([scaled[:, start : start + SIDE] for start in starts])
        frame = seconds / scaled.shape[1]
        for start, probabilities in zip(starts, heard, strict=True):
            yield Window(start * frame, min(start + SIDE, scaled.shape[1]) * frame, probabilities)

    def _probabilities(self, utterances: list[Tensor]) -> list[tuple[float, ...]]:
        return [tuple(map(float, row)) for row in self._predictor.utterances(utterances)]


def recordings_in(places: Iterable[Path]) -> list[Path]:
    """The recordings that files and folders name; a folder's are all below it, in the order of their paths."""
    found: list[Path] = []
    for place in places:
        if not place.is_dir():
            found.append(place)
            continue
        inside = sorted(
            path
            for path in place.rglob("*")
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
        )
        if not inside:
            raise UserError("no recording in the folder", where=place, remedy=f"it should hold {', '.join(SUFFIXES)}")
        found += inside
    return list(dict.fromkeys(found))
