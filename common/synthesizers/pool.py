"""The pool: samples drawn from released synthesizers, as a recognizer's training source.

Owns how many each generator gives, where drawn patches are kept, and the order in which they are served. Must not know
how a generator was tuned, nor what is trained on the pool. One generator is in memory at a time, of however many.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class KeptPool:
    """Every sample drawn once, kept on disk in the number format of its space, and drawn from evenly.

    Args:
        files: one a source; labels in it run 0, 1, .., K-1, 0, 1, ...
        rounds: how many samples of each emotion every file gives.
    """

    files: tuple[Path, ...]
    rounds: tuple[int, ...]
    space: Space
    classes: int
    seed: int

    @classmethod
    def draw(
        cls, folder: Path, sources: Sequence[Source], sampling: SamplingConfig, space: Space, classes: int, seed: int
    ) -> "KeptPool":
        """Draw what `folder` lacks; a source drawn for one fold serves every other."""
        rounds = shares(sampling.per_emotion, len(sources))
        files = tuple(folder / _file_name(source, max(rounds), classes, sampling) for source in sources)
        for file, source in zip(files, sources, strict=True):
            if not _is_whole(file, max(rounds) * classes * sample_bytes(space)):
                _keep(file, source, max(rounds), classes, sampling.latent_scale, FORMATS[space.kept_as][0])
        return cls(files, rounds, space, classes, seed)

    def __len__(self) -> int:
        return sum(self.rounds) * self.classes

    def batch(self, step: int, size: int, stream: str) -> Batch:
        """The same batch for the same step and stream, whatever was asked before."""
        return self.take(numpy_stream(self.seed, "pool", stream, step).integers(len(self), size=size))

    def everything(self) -> Batch:
        """Every sample once, source after source."""
        return self.take(np.arange(len(self)))

    def take(self, numbers: NDArray[np.int64]) -> Batch:
        """Samples by their numbers, source after source."""
        starts = self.classes * np.concatenate(([0], np.cumsum(self.rounds)))
        owners = np.searchsorted(starts, numbers, side="right") - 1
        places = numbers - starts[owners]
        values = np.empty((len(numbers), *self.space.shape), dtype=np.float32)
        for owner in np.unique(owners):
            own = owners == owner
            values[own] = self._samples(owner)[places[own]]
        return Batch(torch.from_numpy(values), torch.from_numpy(places % self.classes))

    def _samples(self, owner: int) -> NDArray[np.floating[Any]]:
        """Mapped anew for each batch, so that no page of a large pool stays this process's."""
        file, count = self.files[owner], self.rounds[owner] * self.classes
        try:
            return np.memmap(file, dtype=FORMATS[self.space.kept_as][1], mode="r", shape=(count, *self.space.shape))
        except (OSError, ValueError):
            remedy = "it is cut or gone: run again with --resume, which draws it anew"
            raise UserError("cannot read the pool", where=file, remedy=remedy) from None


def _file_name(source: Source, rounds: int, classes: int, sampling: SamplingConfig) -> str:
    drawing = derive_seed(source.seed, rounds, classes, str(sampling.latent_scale))
    return f"{source.name}-{drawing:016x}.f16"


def _is_whole(file: Path, size: int) -> bool:
    return file.is_file() and file.stat().st_size == size


def _keep(file: Path, source: Source, rounds: int, classes: int, latent_scale: float, kind: torch.dtype) -> None:
    """Every prefix of whole rounds is balanced, and the same however many rounds follow."""
    sampler = source.open()
    labels = torch.arange(classes).repeat(rounds)

    def write(stream: BinaryIO) -> None:
        for number, wanted in enumerate(labels.split(CHUNK)):
            patches = _finite(sampler.sample(wanted, torch_stream(source.seed, "kept", number), latent_scale), source)
            stream.write(patches.to(kind).numpy().data)

    write_through(file, write)


def _finite(patches: Tensor, source: Source) -> Tensor:
    if not bool(patches.isfinite().all()):
        raise NotFinite(source.name)
    return patches
