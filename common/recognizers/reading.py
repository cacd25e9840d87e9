"""From a waveform to what a model's predictor reads, in either space: the whole of it, and every two seconds.

Owns the two ways. Must not know a sound file, nor what a predictor makes of an example.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from common.errors import UserError
from common.features.extractor import LogMel
from common.features.public import public_standard
from common.features.sets import feature_set
from common.features.silence import fault_of, trimmed
from common.features.spectrum import Spectrum, offset_of, with_offset
from common.recognizers.card import ModelCard
from common.space import SAMPLE_RATE, SIDE
from common.spaces import Vectors
from common.training.standard import Standard

STEP = 32
"""Frames from one part to the next: half a second."""

Waveform = NDArray[np.float32]


class Unheard(Exception):  # noqa: N818 - it is a finding about a recording
    """Nothing can be heard in a waveform, and why."""


@dataclass(frozen=True)
class Part:
    """A part of a recording, in seconds, as a predictor reads it."""

    start: float
    end: float
    example: Tensor


class Reader(Protocol):
    """One way from waveforms, 16 kHz mono, to examples."""

    def meet(self, session: Iterable[Waveform]) -> None:
        """Look at the recordings that belong together, where a space asks for it."""
        ...

    def whole(self, waveform: Waveform) -> Tensor:
        """An utterance; raises `Unheard`."""
        ...

    def parts(self, waveform: Waveform) -> Iterator[Part]:
        """Every half second one as long as a patch, the last at the very end; those in which nothing is heard not."""
        ...


def reader_of(card: ModelCard) -> Reader:
    """As the model was trained."""
    return VectorReader(card, card.space) if isinstance(card.space, Vectors) else PatchReader(card)


class PatchReader:
    """Scaled log-mels, of sessions that are made alike if the model was trained so."""

    def __init__(self, card: ModelCard) -> None:
        if card.scaling is None:
            raise UserError("a model of patches without their scaling", where=card.recognizer)
        self._extract, self._scaling = LogMel(card.features), card.scaling
        self._seconds, self._trim = card.features.hop / SAMPLE_RATE, card.features.trim
        self._features, self._together = card.features, card.together
        self._offset: Spectrum | None = None

    def meet(self, session: Iterable[Waveform]) -> None:
        """Their mean spectrum, for a model that makes sessions alike."""
        if self._together == 1:
            return
        heard = [one for one in (trimmed(waveform, self._trim) for waveform in session) if not fault_of(one)]
        require_together(len(heard), self._together, "features.normalisation")
        self._offset = offset_of((self._levels(one).numpy() for one in heard), self._features)

    def whole(self, waveform: Waveform) -> Tensor:
        """[mels, frames]."""
        return self._mels(trimmed(waveform, self._trim))

    def parts(self, waveform: Waveform) -> Iterator[Part]:
        """Patches of the whole, silence at its ends included: their times are those of the recording."""
        scaled, end = self._mels(waveform), len(waveform) / SAMPLE_RATE
        for start in _starts(scaled.shape[1], SIDE, STEP):
            patch = scaled[:, start : start + SIDE]
            yield Part(start * self._seconds, min((start + SIDE) * self._seconds, end), patch)

    def _mels(self, waveform: Waveform) -> Tensor:
        levels = self._levels(waveform)
        return self._scaling.apply(levels if self._offset is None else with_offset(levels.numpy(), self._offset))

    def _levels(self, waveform: Waveform) -> Tensor:
        # Rounded as the cache keeps them: what is heard here is what scores were made of.
        return self._extract(torch.from_numpy(waveform)).to(torch.float16)


class VectorReader:
    """Vectors of a set, scaled by whom the model was."""

    def __init__(self, card: ModelCard, space: Vectors) -> None:
        self._set, self._trim = feature_set(card.vectors.set, card.vectors.options), card.vectors.trim
        self._together = card.together
        self._length, self._step = SIDE * card.features.hop, STEP * card.features.hop
        self._standard = public_standard(space.set) if space.scale == "public" else None

    def meet(self, session: Iterable[Waveform]) -> None:
        """Mean and deviation of its vectors, for a model that scales by them."""
        if self._together == 1:
            return
        rows = [row for waveform in session if (row := self._row(waveform)) is not None]
        require_together(len(rows), self._together, "vectors.normalisation")
        self._standard = Standard.of(torch.stack(rows))

    def whole(self, waveform: Waveform) -> Tensor:
        """[size]."""
        heard = trimmed(waveform, self._trim)
        if fault := fault_of(heard):
            raise Unheard(fault)
        row = torch.from_numpy(self._set.extract(heard))
        if not bool(row.isfinite().all()):
            raise Unheard(f"some of {self._set.name} are no numbers")
        return row if self._standard is None else self._standard.apply(row[None])[0]

    def parts(self, waveform: Waveform) -> Iterator[Part]:
        """Of the waveform cut, each with a vector of its own."""
        for start in _starts(len(waveform), self._length, self._step):
            cut = waveform[start : start + self._length]
            try:
                yield Part(start / SAMPLE_RATE, (start + len(cut)) / SAMPLE_RATE, self.whole(cut))
            except Unheard:
                continue

    def _row(self, waveform: Waveform) -> Tensor | None:
        try:
            return self.whole(waveform)
        except Unheard:
            return None


def require_together(usable: int, needed: int, setting: str) -> None:
    """Refuse so few recordings that a session's mean means nothing."""
    if usable < needed:
        raise UserError(
            f"{usable} usable recording{'' if usable == 1 else 's'}, and this model compares a recording with others "
            "of the same session",
            remedy=f"give {needed} or more of the same people and microphone together, such as a folder, name such a "
            f"folder with --beside, or train a model with {setting} = public",
        )


def _starts(length: int, window: int, step: int) -> list[int]:
    """Where windows begin.

    >>> _starts(10, 4, 3), _starts(3, 4, 3)
    ([0, 3, 6], [0])
    """
    last = max(length - window, 0)
    return [*range(0, last, step), last]
