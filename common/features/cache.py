"""Log-mels on disk: extracted once, read through a memory map ever after.

Owns the cache's files and what is read from them. Must not know what log-mels are used for.
"""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from common.corpora.manifest import BadFile, Manifest
from common.features.building import INDEX as INDEX
from common.features.building import Index, Progress, built, key_of, numbers_of, usable
from common.features.extraction import Extracted, LogMels, extract
from common.features.patches import PatchSource
from common.features.scaling import Scaling, needed
from common.features.spectrum import Spectrum, offsets_of, with_offset
from common.settings import FeatureConfig, RuntimeConfig
from common.space import SIDE

FORMAT = 2  # raise it when the extractor computes anything else than before
DATA = "log_mels.f16"


@dataclass(frozen=True, eq=False)
class Features:
    """The log-mels of a manifest's utterances, in its order; `features[i]` is a float16 view [mels, frames] on disk."""

    manifest: Manifest
    key: str
    config: FeatureConfig
    _data: LogMels
    _starts: NDArray[np.int64]
    frames: NDArray[np.int64]
    """How many each utterance has."""

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, number: int) -> LogMels:
        start, frames = self._starts[number], self.frames[number]
        return self._data[start : start + SIDE * frames].reshape(SIDE, frames)

    def __iter__(self) -> Iterator[LogMels]:
        return (self[number] for number in range(len(self)))

    def of(self, part: Manifest) -> "Features":
        """The features of a part of the manifest, such as one side of a fold.

        Sessions are then normalised by what the part has of them.
        """
        chosen = numbers_of(part, self.manifest)
        return replace(self, manifest=part, _starts=self._starts[chosen], frames=self.frames[chosen])

    def examples(self, scaling: Scaling | None, seed: int, *, balanced: bool) -> PatchSource:
        """A source of training patches."""
        return PatchSource(self, self.manifest, needed(scaling), seed, balanced=balanced, offsets=self.offsets)

    def utterances(self, scaling: Scaling | None) -> Iterator[torch.Tensor]:
        """Every utterance as recognizers hear it, whole and scaled."""
        if self.offsets is None:
            return map(needed(scaling).apply, self)
        return (needed(scaling).apply(with_offset(one, offset)) for one, offset in zip(self, self.offsets, strict=True))

    @cached_property
    def offsets(self) -> Spectrum | None:
        """What is added to each utterance's bands, where sessions are normalised; None where nothing is."""
        if self.config.normalisation == "public":
            return None
        return offsets_of(self, [utterance.session for utterance in self.manifest.utterances], self.config)


def features_for(
    manifest: Manifest,
    config: FeatureConfig,
    runtime: RuntimeConfig,
    progress: Progress | None = None,
    *,
    skip_bad: bool = False,
) -> Features:
    """The features of a manifest, from the cache or extracted into it.

    Every file that cannot be used is named in one error; with `skip_bad` it is left out of the features' manifest and
    recorded there.
    """
    key = key_of(manifest, FORMAT, config.model_dump(mode="json", exclude={"normalisation"}))  # which comes after it
    folder = runtime.cache_folder / "features" / key

    def build(into: Path) -> Index:
        with (into / DATA).open("wb") as stream, closing(extract(manifest, config, runtime)) as extracted:
            frames, bad = _write(stream, extracted, len(manifest), progress or (lambda done, total: None))
            os.fsync(stream.fileno())
        return {"format": FORMAT, "frames": frames, "bad": bad}

    return _open(folder, built(folder, _is_whole, build), manifest, config, skip_bad=skip_bad)


def _is_whole(folder: Path, index: Index) -> bool:
    return (folder / DATA).stat().st_size == sum(frames or 0 for frames in index["frames"]) * SIDE * 2


def _open(folder: Path, index: Index, manifest: Manifest, config: FeatureConfig, *, skip_bad: bool) -> Features:
    frames = np.array([frames for frames in index["frames"] if frames is not None], dtype=np.int64)
    held = usable(manifest, index["bad"], skip_bad=skip_bad)
    starts = (np.cumsum(frames) - frames) * SIDE
    data = np.asarray(np.memmap(folder / DATA, dtype=np.float16, mode="r"))  # slices of a plain array are cheaper
    return Features(held, folder.name, config, data, starts, frames)


def _write(
    stream: BinaryIO, extracted: Iterator[Extracted], total: int, progress: Progress
) -> tuple[list[int | None], dict[str, str]]:
    """Log-mels one after the other; how many frames each has, and the files that have none, with the reason."""
    frames: list[int | None] = []
    bad = {}
    progress(0, total)
    for done, one in enumerate(extracted, start=1):
        if isinstance(one, BadFile):
            bad[one.path] = one.reason
            frames.append(None)
        else:
            stream.write(one.tobytes())
            frames.append(one.shape[1])
        progress(done, total)
    stream.flush()
    return frames, bad
