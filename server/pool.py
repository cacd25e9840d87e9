"""The pool: patches drawn from the bank's generators, as the recognizer's training source.

Owns how many each generator gives, where drawn patches are kept, and the order in which they are served. Must not know
how a generator was tuned, nor what is trained on the pool. One generator is in memory at a time, of however many.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from common.config import SamplingConfig
from common.errors import UserError
from common.features.patches import FRAMES, Batch
from common.files import write_through
from common.seeds import derive_seed, numpy_stream, torch_stream
from common.synthesizers import Sampler
from common.wire.weights import is_finite

PATCH = (FRAMES, FRAMES)
PATCH_BYTES = 2 * FRAMES * FRAMES
CHUNK = 256
"""Patches drawn from one stream and in memory together."""
STRETCH = 16
"""Batches drawn together when nothing is kept: each generator is loaded once a stretch, not once a batch."""


@dataclass(frozen=True)
class Source:
    """A generator in the bank: a name that tells its weights, the seed of its latents, and how to load it.

    A name may tell more than weights, such as how long they took: nothing that is drawn may hang on it.
    """

    name: str
    seed: int
    open: Callable[[], Sampler]


class NotFinite(UserError):  # noqa: N818 - it is a finding about a release
    """Samples of a source that are no numbers: finite weights may make them at some latents and not at others."""

    def __init__(self, source: str) -> None:
        self.source = source
        super().__init__("samples that are not finite", where=source, remedy="train without this release")


def shares(per_emotion: int, sources: int) -> tuple[int, ...]:
    """How many samples an emotion each source gives, so that the sum is exact.

    >>> shares(10, 4)
    (3, 3, 2, 2)
    """
    if sources < 1:
        raise UserError("no generator to draw from")
    whole, rest = divmod(per_emotion, sources)
    return tuple(whole + (index < rest) for index in range(sources))


@dataclass(frozen=True)
class KeptPool:
    """Every sample drawn once, kept on disk as fp16, and drawn from evenly.

    Args:
        files: one a source; labels in it run 0, 1, .., K-1, 0, 1, ...
        rounds: how many samples of each emotion every file gives.
    """

    files: tuple[Path, ...]
    rounds: tuple[int, ...]
    classes: int
    seed: int

    @classmethod
    def draw(
        cls, folder: Path, sources: Sequence[Source], sampling: SamplingConfig, classes: int, seed: int
    ) -> "KeptPool":
        """Draw what `folder` lacks; a source drawn for one fold serves every other."""
        rounds = shares(sampling.per_emotion, len(sources))
        files = tuple(folder / _file_name(source, max(rounds), classes, sampling) for source in sources)
        for file, source in zip(files, sources, strict=True):
            if not _is_whole(file, max(rounds) * classes):
                _keep(file, source, max(rounds), classes, sampling.latent_scale)
        return cls(files, rounds, classes, seed)

    def __len__(self) -> int:
        return sum(self.rounds) * self.classes

    def batch(self, step: int, size: int, stream: str) -> Batch:
        """The same batch for the same step and stream, whatever was asked before."""
        return self.take(numpy_stream(self.seed, "pool", stream, step).integers(len(self), size=size))

    def take(self, numbers: NDArray[np.int64]) -> Batch:
        """Samples by their numbers, source after source."""
        starts = self.classes * np.concatenate(([0], np.cumsum(self.rounds)))
        owners = np.searchsorted(starts, numbers, side="right") - 1
        places = numbers - starts[owners]
        patches = np.empty((len(numbers), 1, *PATCH), dtype=np.float32)
        for owner in np.unique(owners):
            own = owners == owner
            patches[own, 0] = self._samples(owner)[places[own]]
        return Batch(torch.from_numpy(patches), torch.from_numpy(places % self.classes))

    def _samples(self, owner: int) -> NDArray[np.float16]:
        """Mapped anew for each batch, so that no page of a large pool stays this process's."""
        file, count = self.files[owner], self.rounds[owner] * self.classes
        try:
            return np.memmap(file, dtype=np.float16, mode="r", shape=(count, *PATCH))
        except (OSError, ValueError):
            remedy = "it is cut or gone: run again with --resume, which draws it anew"
            raise UserError("cannot read the pool", where=file, remedy=remedy) from None


def _file_name(source: Source, rounds: int, classes: int, sampling: SamplingConfig) -> str:
    drawing = derive_seed(source.seed, rounds, classes, str(sampling.latent_scale))
    return f"{source.name}-{drawing:016x}.f16"


def _is_whole(file: Path, patches: int) -> bool:
    return file.is_file() and file.stat().st_size == patches * PATCH_BYTES


def _keep(file: Path, source: Source, rounds: int, classes: int, latent_scale: float) -> None:
    """Every prefix of whole rounds is balanced, and the same however many rounds follow."""
    sampler = source.open()
    labels = torch.arange(classes).repeat(rounds)

    def write(stream: BinaryIO) -> None:
        for number, wanted in enumerate(labels.split(CHUNK)):
            patches = _finite(sampler.sample(wanted, torch_stream(source.seed, "kept", number), latent_scale), source)
            stream.write(patches.to(torch.float16).numpy().data)

    write_through(file, write)


class FreshPool:
    """Nothing kept: every batch is drawn anew, in equal parts from all sources, a stretch of batches at a time."""

    def __init__(self, sources: Sequence[Source], sampling: SamplingConfig, classes: int, seed: int) -> None:
        shares(sampling.per_emotion, len(sources))
        self._sources, self._classes, self._seed = tuple(sources), classes, seed
        self._latent_scale = sampling.latent_scale
        self._stretch: tuple[tuple[str, int, int], Batch] | None = None

    def batch(self, step: int, size: int, stream: str) -> Batch:
        """The same batch for the same step and stream; classes and sources are even over a stretch."""
        key = (stream, step // STRETCH, size)
        if self._stretch is None or self._stretch[0] != key:
            self._stretch = (key, self._draw(*key))
        drawn, first = self._stretch[1], step % STRETCH * size
        return Batch(drawn.patches[first : first + size], drawn.labels[first : first + size])

    def _draw(self, stream: str, stretch: int, size: int) -> Batch:
        numbers = torch.arange(size * STRETCH)
        labels = numbers % self._classes
        # A whole round of classes to one source after another, so that none owns a class; each stretch starts where
        # the last one ended, so that each source has its turn however many there are.
        turns = stretch * -(-len(numbers) // self._classes) + numbers // self._classes
        patches = torch.empty(len(numbers), 1, *PATCH)
        for index, source in enumerate(self._sources):
            own = turns % len(self._sources) == index
            if own.any():
                chance = torch_stream(source.seed, "fresh", stream, stretch)
                patches[own] = _finite(source.open().sample(labels[own], chance, self._latent_scale), source)
        order = torch.randperm(len(numbers), generator=torch_stream(self._seed, "pool", stream, stretch))
        return Batch(patches[order], labels[order])


def _finite(patches: Tensor, source: Source) -> Tensor:
    if not is_finite(patches):
        raise NotFinite(source.name)
    return patches
