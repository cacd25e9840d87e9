"""The pool: samples drawn from released synthesizers, as a recognizer's training source.

Owns how many each generator gives, where drawn patches are kept, and the order in which they are served. Must not know
how a generator was tuned, nor what is trained on the pool. One generator is in memory at a time, of however many.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from common.errors import UserError
from common.features.patches import Batch
from common.files import write_through
from common.seeds import derive_seed, numpy_stream, torch_stream
from common.settings import SamplingConfig
from common.spaces import Kept, Space
from common.synthesizers.synthesizer import Sampler

FORMATS: Mapping[Kept, tuple[torch.dtype, type[np.floating[Any]]]] = {
    "fp16": (torch.float16, np.float16),
    "fp32": (torch.float32, np.float32),
}
"""Of kept numbers, as a space says."""
CHUNK = 256
"""Samples drawn from one stream and in memory together."""


Known = tuple[bool, ...]
"""Whether a generator knows each class; empty, where it knows all."""


@dataclass(frozen=True)
class Source:
    """A generator in the bank: a name that tells its weights, the seed of its latents, how to load it, what it knows.

    A name may tell more than weights, such as how long they took: nothing that is drawn may hang on it.
    """

    name: str
    seed: int
    open: Callable[[], Sampler]
    known: Known = ()


class NotFinite(UserError):  # noqa: N818 - it is a finding about a release
    """Samples of a source that are no numbers: finite weights may make them at some latents and not at others."""

    def __init__(self, source: str) -> None:
        self.source = source
        super().__init__("samples that are not finite", where=source, remedy="train without this release")


def source_seed(seed: int, place: str, settings: str) -> int:
    """Of the latents of what was fitted at a place: a run's seed, the place and the fit's own settings decide it."""
    return derive_seed(seed, place, settings, "pool")


def sample_bytes(space: Space) -> int:
    """Of one kept sample."""
    return FORMATS[space.kept_as][0].itemsize * math.prod(space.shape)


def shares(per_emotion: int, sources: int) -> tuple[int, ...]:
    """How many samples an emotion each source gives, so that the sum is exact.

    >>> shares(10, 4)
    (3, 3, 2, 2)
    """
    if sources < 1:
        raise UserError("no generator to draw from")
    whole, rest = divmod(per_emotion, sources)
    return tuple(whole + (index < rest) for index in range(sources))


Numbers = tuple[int, ...]
"""Of samples, one a class."""


def given_numbers(known: Sequence[Known], per_emotion: int, classes: int) -> tuple[Numbers, ...]:
    """How many samples of each emotion each source gives: those that know it share it, so that its sum is exact.

    An emotion that none of them knows is given by none.

    >>> given_numbers([(True, False), ()], 5, 2)
    ((3, 0), (2, 5))
    """
    return tuple(zip(*(_given(known, per_emotion, number) for number in range(classes)), strict=True))


def _given(known: Sequence[Known], per_emotion: int, number: int) -> Iterator[int]:
    knowing = [_knows(one, number) for one in known]
    each = iter(shares(per_emotion, sum(knowing)) if any(knowing) else ())
    return (next(each) if knows else 0 for knows in knowing)


def _knows(known: Known, number: int) -> bool:
    return not known or known[number]


def kept_numbers(known: Sequence[Known], per_emotion: int, classes: int) -> tuple[Numbers, ...]:
    """How many of each emotion are drawn from each source and kept, so that what one fold draws serves another.

    As many as a source may have to give in any pool of as many sources that know the emotion.
    """
    most = [max(column) for column in zip(*given_numbers(known, per_emotion, classes), strict=True)]
    return tuple(tuple(most[e] if _knows(one, e) else 0 for e in range(classes)) for one in known)


def turns(numbers: Numbers) -> NDArray[np.int64]:
    """Labels in the order in which they are drawn: 0, 1, .., K-1, 0, 1, ..; one that has had its number is left out.

    >>> turns((3, 0, 2)).tolist()
    [0, 2, 0, 2, 0]
    """
    left = np.arange(max(numbers, default=0))[:, None] < np.array(numbers)
    return np.nonzero(left)[1]


@dataclass(frozen=True)
class KeptPool:
    """Every sample drawn once, kept on disk in the number format of its space, and drawn from evenly.

    Args:
        files: one a source; labels in it take turns.
        kept: how many samples of each emotion lie in each file.
        given: how many of them, the first, each file gives to this pool.
    """

    files: tuple[Path, ...]
    kept: tuple[Numbers, ...]
    given: tuple[Numbers, ...]
    space: Space
    seed: int

    @classmethod
    def draw(
        cls, folder: Path, sources: Sequence[Source], sampling: SamplingConfig, space: Space, classes: int, seed: int
    ) -> "KeptPool":
        """Draw what `folder` lacks; a source drawn for one fold serves every other."""
        known = [source.known for source in sources]
        numbers = given_numbers(known, sampling.per_emotion, classes)
        if not any(map(sum, numbers)):
            raise UserError("no generator to draw from")
        kept = kept_numbers(known, sampling.per_emotion, classes)
        files = tuple(folder / _file_name(*one, sampling) for one in zip(sources, kept, strict=True))
        for file, source, drawn in zip(files, sources, kept, strict=True):
            if not _is_whole(file, sum(drawn) * sample_bytes(space)):
                _keep(file, source, drawn, sampling.latent_scale, FORMATS[space.kept_as][0])
        return cls(files, kept, numbers, space, seed)

    def giving(self, wanted: Numbers) -> "KeptPool":
        """The same samples, of each emotion the first so many; at most as many as it gives."""
        columns = [
            tuple(_given([(one[number] > 0,) for one in self.given], total, 0)) for number, total in enumerate(wanted)
        ]
        return replace(self, given=tuple(zip(*columns, strict=True)))

    def __len__(self) -> int:
        return sum(map(sum, self.given))

    def batch(self, step: int, size: int, stream: str) -> Batch:
        """The same batch for the same step and stream, whatever was asked before."""
        return self.take(numpy_stream(self.seed, "pool", stream, step).integers(len(self), size=size))

    def everything(self) -> Batch:
        """Every sample once, source after source."""
        return self.take(np.arange(len(self)))

    def take(self, numbers: NDArray[np.int64]) -> Batch:
        """Samples by their numbers, source after source."""
        starts = np.concatenate(([0], np.cumsum([sum(one) for one in self.given])))
        owners = np.searchsorted(starts, numbers, side="right") - 1
        values = np.empty((len(numbers), *self.space.shape), dtype=np.float32)
        labels = np.empty(len(numbers), dtype=np.int64)
        for owner in np.unique(owners):
            own = owners == owner
            places, classes = self._layout[owner]
            wanted = numbers[own] - starts[owner]
            values[own], labels[own] = self._samples(owner)[places[wanted]], classes[wanted]
        return Batch(torch.from_numpy(values), torch.from_numpy(labels))

    @cached_property
    def _layout(self) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]:
        """Of each source, the places in its file of the samples that it gives, and their classes."""
        return tuple(_places(kept, numbers) for kept, numbers in zip(self.kept, self.given, strict=True))

    def _samples(self, owner: int) -> NDArray[np.floating[Any]]:
        """Mapped anew for each batch, so that no page of a large pool stays this process's."""
        file, count = self.files[owner], sum(self.kept[owner])
        try:
            return np.memmap(file, dtype=FORMATS[self.space.kept_as][1], mode="r", shape=(count, *self.space.shape))
        except (OSError, ValueError):
            remedy = "it is cut or gone: run again with --resume, which draws it anew"
            raise UserError("cannot read the pool", where=file, remedy=remedy) from None


def _places(kept: Numbers, numbers: Numbers) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where in a file the first so many of each class lie, and which class each is."""
    classes = turns(kept)
    earlier = np.empty_like(classes)
    for number in range(len(kept)):
        earlier[classes == number] = np.arange(kept[number])
    places = np.flatnonzero(earlier < np.array(numbers)[classes])
    return places, classes[places]


def _file_name(source: Source, drawn: Numbers, sampling: SamplingConfig) -> str:
    drawing = derive_seed(source.seed, *drawn, str(sampling.latent_scale))
    return f"{source.name}-{drawing:016x}.f16"


def _is_whole(file: Path, size: int) -> bool:
    return file.is_file() and file.stat().st_size == size


def _keep(file: Path, source: Source, drawn: Numbers, latent_scale: float, kind: torch.dtype) -> None:
    """Every prefix of whole rounds is balanced, and the same however many rounds follow."""
    sampler = source.open()
    labels = torch.from_numpy(turns(drawn))

    def write(stream: BinaryIO) -> None:
        for number, wanted in enumerate(labels.split(CHUNK)):
            patches = _finite(sampler.sample(wanted, torch_stream(source.seed, "kept", number), latent_scale), source)
            stream.write(patches.to(kind).numpy().data)

    write_through(file, write)


def _finite(patches: Tensor, source: Source) -> Tensor:
    if not bool(patches.isfinite().all()):
        raise NotFinite(source.name)
    return patches
