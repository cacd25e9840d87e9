"""A model listening to recordings: probabilities of a whole one, and of windows in it.

Owns the way from a sound file to what a predictor reads, and which recordings cannot be heard. Must not know how a
model was trained, nor how what it heard is shown.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from common.corpora.audio import AudioError, AudioInfo, load, probe
from common.errors import UserError
from common.features.silence import FAINTEST
from common.networks.acceleration import Acceleration
from common.recognizers.model import Model
from common.recognizers.reading import Part, Unheard, reader_of
from common.space import SAMPLE_RATE

AT_ONCE = 16
"""Recordings that go through a model together: a large one reads all of its weights each time."""
SHORTEST = 0.2
"""Seconds; less holds no syllable."""
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
    """A model on a machine, ready for recordings.

    Args:
        model: who listens.
        acceleration: the machine.
        session: recordings by whose mean and deviation a model of vectors may scale; others need none.
    """

    def __init__(self, model: Model, acceleration: Acceleration, session: Sequence[Path] = ()) -> None:
        self._labels, self._acceleration = model.card.labels, acceleration
        self._predictor = model.predictor(acceleration)
        self._reader = reader_of(model.card)
        deaf: list[AudioError] = []
        try:
            self._reader.meet(_readable(session, deaf))
        except UserError as error:
            raise UserError(f"{error}; {deaf[0]}" if deaf else str(error)) from None

    def hear(self, path: Path, *, windows: bool = False) -> Heard:
        """One recording, whole, and in windows where they are wanted."""
        (heard,) = self._hear([self._read(path, windows)])
        return heard

    def hear_all(self, paths: Iterable[Path], *, windows: bool = False) -> "Iterator[Heard | AudioError]":
        """Many, in their order: what is heard in each, or why nothing can be; the first alone, to come soon."""
        waiting, number = iter(paths), 1
        while together := list(islice(waiting, number)):
            read = [self._read_or_not(path, windows) for path in together]
            heard = iter(self._hear([one for one in read if isinstance(one, _Read)]))
            yield from (one if isinstance(one, AudioError) else next(heard) for one in read)
            number = AT_ONCE

    def _read_or_not(self, path: Path, windows: bool) -> "_Read | AudioError":
        try:
            return self._read(path, windows)
        except AudioError as error:
            return error

    def _read(self, path: Path, windows: bool) -> "_Read":
        info, waveform = probe(path), _loaded(path)
        try:
            whole = self._reader.whole(waveform)
            return _Read(path, info, whole, tuple(self._reader.parts(waveform)) if windows else ())
        except Unheard as error:
            raise AudioError(str(error), path) from None

    def _hear(self, read: Sequence["_Read"]) -> list[Heard]:
        """All whole recordings in one go, then all windows: whoever asks for windows has the same answer besides."""
        wholes = self._probabilities([one.whole for one in read])
        odds = iter(self._probabilities([part.example for one in read for part in one.parts]))
        heard = []
        for one, whole in zip(read, wholes, strict=True):
            windows = tuple(Window(part.start, part.end, next(odds)) for part in one.parts)
            heard.append(Heard(one.path, one.info.seconds, one.info.rate, self._labels, whole, windows))
        return heard

    def _probabilities(self, examples: list[Tensor]) -> list[tuple[float, ...]]:
        if not examples:
            return []
        with self._acceleration.entered():
            return [tuple(map(float, row)) for row in self._predictor.utterances(examples)]


@dataclass(frozen=True)
class _Read:
    """A recording as a predictor reads it."""

    path: Path
    info: AudioInfo
    whole: Tensor
    parts: tuple[Part, ...]


def _loaded(path: Path) -> NDArray[np.float32]:
    """A recording in which something can be heard."""
    waveform = load(path)
    seconds = len(waveform) / SAMPLE_RATE
    if seconds < SHORTEST:
        raise AudioError(f"it lasts {seconds:.2f} s, less than the {SHORTEST:g} s that hold a syllable", path)
    if float(np.abs(waveform).max()) < FAINTEST:
        raise AudioError("it is silent", path)
    return waveform


def _readable(paths: Iterable[Path], deaf: list[AudioError]) -> Iterator[NDArray[np.float32]]:
    """What cannot be heard is no part of a session, and is told in `deaf`; it is named when its turn comes."""
    for path in paths:
        try:
            yield _loaded(path)
        except AudioError as error:
            deaf.append(error)


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
