"""The pool: patches drawn from the bank's generators, as the recognizer's training source.

Owns how many each generator gives, where drawn patches are kept, and the order in which they are served. Must not know
how a generator was tuned, nor what is trained on the pool. One generator is in memory at a time, of however many.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from common.config import SamplingConfig
from common.errors import UserError
from common.features.patches import Batch
from common.files import write_through
from common.seeds import derive_seed, numpy_stream, torch_stream
from common.synthesizers import Sampler

SIDE = 128
PATCH_BYTES = 2 * SIDE * SIDE
CHUNK = 256
"""Patches drawn from one stream; a kept file can be resumed or read at any of them."""
STRETCH = 16
"""Batches drawn together when nothing is kept: each generator is loaded once a stretch, not once a batch."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Source:
    """A generator in the bank: a name that tells its weights, and how to load it."""

    name: str
    open: Callable[[], Sampler]


def shares(per_emotion: int, sources: int) -> tuple[int, ...]:
    """How many samples an emotion each source gives, so that the sum is exact.

    >>> shares(10, 4)
    (3, 3, 2, 2)
    """
    if sources < 1:
        raise UserError("no generator to draw from", remedy="wait for releases, or lower runtime.quorum")
    whole, rest = divmod(per_emotion, sources)
    return tuple(whole + (index < rest) for index in range(sources))


@dataclass(frozen=True)
class KeptPool:
    """Every sample drawn once, kept on disk as fp16, and drawn from evenly."""

    files: tuple[Path, ...]
    counts: tuple[int, ...]
    classes: int
    seed: int

    @classmethod
    def draw(
        cls,
        folder: Path,
        sources: Sequence[Source],
        sampling: SamplingConfig,
        classes: int,
        seed: int,
        progress: Progress | None = None,
    ) -> "KeptPool":
        """Draw what `folder` lacks; a source drawn for one fold serves every other."""
        each = shares(sampling.per_emotion, len(sources))
        files = []
        for done, source in enumerate(sources):
            name = f"{source.name}-{derive_seed(seed, max(each), classes, str(sampling.latent_scale)):016x}.f16"
            files.append(folder / name)
            if not files[-1].exists():
                _keep(files[-1], source, max(each) * classes, classes, sampling.latent_scale, seed)
            if progress:
                progress(done + 1, len(sources))
        return cls(tuple(files), tuple(count * classes for count in each), classes, seed)

    def __len__(self) -> int:
        return sum(self.counts)

    def count_per_emotion(self) -> tuple[int, ...]:
        """How many samples of each class there are: the same number, exactly."""
        return tuple(len(self) // self.classes for _ in range(self.classes))

    def batch(self, step: int, size: int, stream: str) -> Batch:
        """The same batch for the same step and stream, whatever was asked before."""
        wanted = numpy_stream(self.seed, "pool", stream, step).integers(len(self), size=size)
        starts = np.concatenate(([0], np.cumsum(self.counts)))
        owners = np.searchsorted(starts, wanted, side="right") - 1
        patches = np.empty((size, 1, SIDE, SIDE), dtype=np.float32)
        for owner in np.unique(owners):
            chosen = owners == owner
            patches[chosen, 0] = self._open(owner)[wanted[chosen] - starts[owner]]
        labels = (wanted - starts[owners]) % self.classes
        return Batch(torch.from_numpy(patches), torch.from_numpy(labels.astype(np.int64)))

    def _open(self, owner: int) -> NDArray[np.float16]:
        file = self.files[owner]
        try:
            return np.memmap(file, dtype=np.float16, mode="r").reshape(-1, SIDE, SIDE)
        except (OSError, ValueError) as error:
            raise UserError("cannot read the pool", where=file, remedy=f"{error}; delete it to draw again") from None


def _keep(file: Path, source: Source, total: int, classes: int, latent_scale: float, seed: int) -> None:
    """Labels run 0, 1, .., K-1, 0, 1, .. so that every prefix of whole rounds is balanced."""
    sampler = source.open()
    labels = torch.arange(total) % classes

    def write(stream: object) -> None:
        for index, wanted in enumerate(labels.split(CHUNK)):
            chance = torch_stream(seed, "pool", source.name, index)
            patches = sampler.sample(wanted, chance, latent_scale)
            stream.write(patches.to(torch.float16).numpy().tobytes())  # type: ignore[attr-defined]

    write_through(file, write)


class FreshPool:
    """Nothing kept: every batch is drawn anew, in equal parts from all sources, a stretch of batches at a time."""

    def __init__(self, sources: Sequence[Source], sampling: SamplingConfig, classes: int, seed: int) -> None:
        self._sources, self._classes, self._seed = tuple(sources), classes, seed
        self._latent_scale = sampling.latent_scale
        self._stretch: tuple[object, Batch] | None = None
        shares(1, len(self._sources))

    def batch(self, step: int, size: int, stream: str) -> Batch:
        """The same batch for the same step and stream; classes are even over a stretch."""
        key = (stream, step // STRETCH, size)
        if self._stretch is None or self._stretch[0] != key:
            self._stretch = (key, self._draw(step // STRETCH, size * STRETCH, stream))
        drawn = self._stretch[1]
        part = slice((step % STRETCH) * size, (step % STRETCH + 1) * size)
        return Batch(drawn.patches[part], drawn.labels[part])

    def _draw(self, stretch: int, total: int, stream: str) -> Batch:
        labels = torch.arange(total) % self._classes
        order = torch.randperm(total, generator=torch_stream(self._seed, "pool", stream, stretch))
        # Whole rounds of classes go to one source after another, so that none of them owns a class.
        owners = (torch.arange(total) // self._classes) % len(self._sources)
        patches = torch.empty(total, 1, SIDE, SIDE)
        for index, source in enumerate(self._sources):
            chance = torch_stream(self._seed, "pool", stream, stretch, source.name)
            own = owners == index
            if own.any():
                patches[own] = source.open().sample(labels[own], chance, self._latent_scale)
        return Batch(patches[order], labels[order])
