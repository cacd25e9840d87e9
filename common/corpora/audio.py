"""Recordings: what their headers promise, and their samples as 16 kHz mono.

Owns decoding, resampling and the verdict that a file is damaged. Must not know a corpus, label or feature.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from common.corpora.parts import Part
from common.errors import UserError
from common.space import SAMPLE_RATE

_UNKNOWN_LENGTH = 0xFFFFFFFF  # what a program writes that streams a wav and cannot go back


class AudioError(UserError):
    """A recording that cannot be used.

    Args:
        reason: the error without the file's name.
        lasting: whether another look would find the same, for it is the file that is at fault and not the machine.
    """

    def __init__(self, reason: str, path: Path, *, lasting: bool = True) -> None:
        self.reason, self.lasting = reason, lasting
        super().__init__(f"{path}: {reason}")


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What a sound file's header says."""

    seconds: float
    rate: int
    channels: int


def probe(path: Path) -> AudioInfo:
    """The header of a recording that is there, not empty, and whole as far as a look can tell."""
    with _opened(path) as sound:
        if sound.format == "FLAC":
            _reach_the_end(sound, path)
        return AudioInfo(sound.frames / sound.samplerate, sound.samplerate, sound.channels)


def load(path: Path, part: Part | None = None) -> npt.NDArray[np.float32]:
    """A recording of any rate, depth and channel count as 16 kHz mono in [-1, 1]; channels are averaged.

    Args:
        path: its file.
        part: which seconds of it; all where nothing is said.
    """
    with _opened(path) as sound:
        first, last = _samples_of(part, sound, path)
        if first:
            sound.seek(first)
        samples = sound.read(last - first, dtype="float32", always_2d=True)
        if len(samples) < last - first:
            raise AudioError(f"truncated: {first + len(samples)} of {sound.frames} samples are there", path)
        rate = sound.samplerate
    if not np.isfinite(samples).all():
        raise AudioError("holds samples that are not numbers (NaN or infinite)", path)
    mono: npt.NDArray[np.float32] = samples.mean(axis=1, dtype=np.float32)
    if rate != SAMPLE_RATE:
        mono = soxr.resample(mono, rate, SAMPLE_RATE)
    return mono


@contextmanager
def _opened(path: Path) -> Iterator[soundfile.SoundFile]:
    """A sound file that has samples, and as many of them as its header says."""
    try:
        if not path.is_file():
            raise AudioError("no such file", path)
        if not path.stat().st_size:
            raise AudioError("empty file (0 bytes)", path)
        _check_wav_length(path)
        with _sound(path) as sound:
            if not sound.frames:
                raise AudioError("holds no samples (zero length)", path)
            yield sound
    except soundfile.LibsndfileError as error:
        reason = error.error_string.strip().rstrip(".")
        raise AudioError("cannot be decoded as audio" + f" ({reason})" * bool(reason), path) from None
    except OSError as error:
        raise AudioError(f"cannot be read ({error.strerror})", path, lasting=False) from None


def _samples_of(part: Part | None, sound: soundfile.SoundFile, path: Path) -> tuple[int, int]:
    """The first sample of a part, and the one after its last."""
    if part is None:
        return 0, sound.frames
    first = round(part.start * sound.samplerate)
    last = sound.frames if part.end is None else min(round(part.end * sound.samplerate), sound.frames)
    if first >= last:
        raise AudioError("holds no samples in this part", path)
    return first, last


def _sound(path: Path) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(path)
    except TypeError:  # what a header would say must be told of a file that by its name has none
        raise AudioError("cannot be decoded as audio (no header)", path) from None


def _reach_the_end(sound: soundfile.SoundFile, path: Path) -> None:
    """A FLAC header promises a length and cannot know what was cut off: decode the last sample alone."""
    try:
        sound.seek(sound.frames - 1)
        whole = len(sound.read(1)) == 1
    except soundfile.LibsndfileError:
        whole = False
    if not whole:
        raise AudioError(f"truncated: the last of its {sound.frames} samples cannot be decoded", path)


def _check_wav_length(path: Path) -> None:
    """The decoder reads a cut wav as a shorter one without a word, so its chunks are walked here."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        if stream.read(4) != b"RIFF":
            return
        stream.seek(12)
        while len(header := stream.read(8)) == 8:
            name, length = struct.unpack("<4sI", header)
            start = stream.tell()
            if name == b"data":
                if length != _UNKNOWN_LENGTH and start + length > size:
                    raise AudioError(f"truncated: {size - start} of {length} bytes of sound are there", path)
                return
            stream.seek(start + length + length % 2)  # chunks begin on even bytes
    raise AudioError("truncated: it ends before its sound begins", path)
