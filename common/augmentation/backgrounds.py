"""Background noise: a folder of it, or the voices of several public speakers at once.

Owns both and the choice of a piece. Must not know what is laid over it.
"""

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from common.augmentation.sounds import Sound
from common.corpora.audio import AudioError, load
from common.errors import UserError

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
VOICES = 5
"""That are heard at once."""
PUBLIC = Path(__file__).parent / "babble"
"""As many public speakers that come with eyesoff; its README tells whose they are."""


@dataclass(frozen=True, eq=False)
class Noises:
    """Pieces of noises, one of which is heard at a time."""

    sounds: tuple[Sound, ...]

    @classmethod
    def of_folder(cls, folder: Path) -> "Noises":
        """Every sound below a folder; what is no sound is passed over, as long as there is one."""
        if not folder.is_dir():
            raise UserError("no such folder of noises", where=folder)
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        found = tuple(sound for sound in map(_read, files) if sound is not None and sound.any())
        if not found:
            remedy = f"it should hold recordings of noise ({', '.join(SUFFIXES)}) that are not silent"
            raise UserError("the folder of noises has no sound", where=folder, remedy=remedy)
        return cls(found)

    @property
    def digest(self) -> str:
        """Names what may be heard."""
        return _digest(self.sounds)

    def take(self, samples: int, stream: np.random.Generator) -> Sound:
        """A piece of one of them, which goes round where it is too short."""
        return _piece(self.sounds[stream.integers(len(self.sounds))], samples, stream)


@dataclass(frozen=True, eq=False)
class Babble:
    """Public speakers of whom several are heard at once, all equally loud."""

    speakers: tuple[Sound, ...]

    @classmethod
    def of(cls, speakers: Sequence[Sound]) -> "Babble":
        """One recording a speaker; silent ones are passed over."""
        heard = tuple(sound for sound in speakers if sound.any())
        if len(heard) < VOICES:
            remedy = "hand in further speakers"
            raise UserError(f"babble needs {VOICES} speakers with sound, but there are {len(heard)}", remedy=remedy)
        return cls(heard)

    @property
    def digest(self) -> str:
        """Names who may be heard."""
        return _digest(self.speakers)

    def take(self, samples: int, stream: np.random.Generator) -> Sound:
        """A piece of each of some speakers, drawn without anyone twice."""
        chosen = stream.choice(len(self.speakers), VOICES, replace=False)
        pieces = [_piece(self.speakers[number], samples, stream) for number in chosen]
        levels = [np.sqrt(np.mean(np.square(piece, dtype=np.float64))) for piece in pieces]
        return np.asarray(sum(piece / level for piece, level in zip(pieces, levels, strict=True)), dtype=np.float32)


@dataclass(frozen=True)
class Behind:
    """The noises of a folder, or the public babble where none is named; read when the first is asked for."""

    folder: str = ""

    @cached_property
    def _heard(self) -> Noises | Babble:
        if self.folder:
            return Noises.of_folder(Path(self.folder).expanduser())
        # Flower runs a copy of this code that has left all sounds behind; the installed one has them.
        places = (PUBLIC, *(Path(one) / "common" / "augmentation" / PUBLIC.name for one in sys.path))
        found = next((sorted(place.glob("*.flac")) for place in places if any(place.glob("*.flac"))), [])
        return Babble.of([load(path) for path in found])

    @property
    def digest(self) -> str:
        """Names all that may be heard."""
        return self._heard.digest

    def take(self, samples: int, stream: np.random.Generator) -> Sound:
        """A piece of it."""
        return self._heard.take(samples, stream)


def _piece(sound: Sound, samples: int, stream: np.random.Generator) -> Sound:
    """From a sample that is not zero on, so that no piece is silent."""
    start = int(stream.choice(np.flatnonzero(sound)))
    return np.resize(np.roll(sound, -start), samples)


def _digest(sounds: Sequence[Sound]) -> str:
    whole = hashlib.sha256()
    for sound in sounds:
        whole.update(f"{len(sound)}:".encode() + sound.tobytes())
    return whole.hexdigest()[:12]


def _read(path: Path) -> Sound | None:
    try:
        return load(path)
    except AudioError:
        return None
