"""Vectors of utterances: extracted once into the cache, scaled, and served as examples.

Owns the cache's files of vectors, by whose mean and deviation they are scaled, and which rows a batch has. Must not
know which set they are of, nor what is trained.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch import Tensor

from common.cores import usable_cores
from common.corpora.manifest import BadFile, Manifest, Utterance
from common.errors import UserError
from common.features.building import Index, Progress, built, key_of, numbers_of, usable
from common.features.extraction import decoded, in_processes
from common.features.patches import UNLABELLED, Batch
from common.features.scaling import Scaling
from common.features.sets import FeatureSet, feature_set
from common.features.silence import fault_of, trimmed
from common.files import write_through
from common.seeds import numpy_stream
from common.settings import RuntimeConfig, VectorConfig, hash_identity
from common.spaces import Scale, Vectors
from common.threads import one_thread
from common.training.standard import Standard

FORMAT = 1  # raise it when trimming or its verdicts change; a set has a version of its own
DATA = "vectors.f32"
WORTH_PROCESSES = 1800.0
"""Seconds of speech below which starting other processes costs more than it saves."""
SCALES: dict[str, Scale] = {"session": "session", "training": "raw", "public": "public"}
"""What a normalisation leaves of it to examples: where models standardise themselves, they are raw."""

Row = NDArray[np.float32]


def space_of_vectors(config: VectorConfig) -> Vectors:
    """What an example is under these settings."""
    own = feature_set(config.set, config.options)
    return Vectors(set=own.name, size=own.size, scale=SCALES[config.normalisation])


def identity_of_vectors(config: VectorConfig) -> str:
    """Names how speech becomes vectors, whoever scales them: two sites agree on it or their vectors differ."""
    own = feature_set(config.set, config.options)
    return hash_identity({"set": own.name, "digest": own.digest, "trim": config.trim})


@dataclass(frozen=True, eq=False)
class VectorFeatures:
    """The vectors of a manifest's utterances, in its order, raw and as `scale` has them."""

    manifest: Manifest
    key: str
    raw: Row
    space: Vectors
    config: VectorConfig

    def __len__(self) -> int:
        return len(self.raw)

    def of(self, part: Manifest) -> "VectorFeatures":
        """Those of a part of the manifest, whose sessions are then scaled by what the part has of them."""
        return replace(self, manifest=part, raw=self.raw[numbers_of(part, self.manifest)])

    @cached_property
    def scaled(self) -> Tensor:
        """[utterances, size]."""
        return self.scaled_as(self.raw, range(len(self)))

    def scaled_as(self, raw: Row, sources: Sequence[int]) -> Tensor:
        """Rows that were made of these utterances, each by the mean and deviation of its utterance's session."""
        rows = torch.from_numpy(np.array(raw))
        if self.space.scale == "session":
            own, names = torch.from_numpy(np.array(self.raw)), self._sessions()
            of_rows = names[np.array(sources, dtype=np.int64)]
            for name in np.unique(of_rows):
                chosen = np.flatnonzero(of_rows == name)
                rows[chosen] = Standard.of(own[np.flatnonzero(names == name)]).apply(rows[chosen])
        if self.space.scale == "public":
            from common.features.public import public_standard

            rows = public_standard(self.space.set).apply(rows)
        return rows

    def _sessions(self) -> NDArray[np.str_]:
        return np.array([utterance.session for utterance in self.manifest.utterances])

    def examples(self, scaling: Scaling | None, seed: int, *, balanced: bool) -> "VectorSource":
        """A source of training vectors; extremes mean nothing to them."""
        return VectorSource(self.scaled, self.manifest, seed, balanced=balanced)

    def utterances(self, scaling: Scaling | None) -> Iterator[Tensor]:
        """Every utterance as recognizers hear it: one vector."""
        return iter(self.scaled)


class VectorSource:
    """Training vectors: an utterance by chance, or all of them once.

    Args:
        balanced: draw emotions evenly, of those that are there, then an utterance of that emotion.
    """

    def __init__(self, rows: Tensor, manifest: Manifest, seed: int, *, balanced: bool = False) -> None:
        if not len(manifest):
            raise UserError("no utterance to draw vectors from", where=f"corpus {manifest.corpus}")
        if not bool(rows.isfinite().all()):
            raise UserError("vectors that are not finite", where=f"corpus {manifest.corpus}", remedy="clear the cache")
        self._rows, self._seed = rows, seed
        labels = [UNLABELLED if u.emotion is None else manifest.label_index(u) for u in manifest.utterances]
        self._labels = np.array(labels)
        groups = [np.flatnonzero(self._labels == number) for number in np.unique(labels)]
        groups = groups if balanced else [np.arange(len(labels))]
        self._members, self._sizes = np.concatenate(groups), np.array([len(group) for group in groups])

    def batch(self, step: int, size: int, stream: str = "train") -> Batch:
        """The vectors of one step."""
        chance = numpy_stream(self._seed, stream, step)
        groups = chance.integers(len(self._sizes), size=size)
        firsts = (np.cumsum(self._sizes) - self._sizes)[groups]
        return self._take(self._members[firsts + chance.integers(self._sizes[groups])])

    def everything(self) -> Batch:
        """Each utterance once, in the manifest's order."""
        return self._take(np.arange(len(self._labels)))

    def _take(self, chosen: NDArray[np.int64]) -> Batch:
        return Batch(self._rows[torch.from_numpy(chosen)], torch.from_numpy(self._labels[chosen]))


def vectors_for(
    manifest: Manifest,
    config: VectorConfig,
    runtime: RuntimeConfig,
    progress: Progress | None = None,
    *,
    space: Vectors | None = None,
    skip_bad: bool = False,
) -> VectorFeatures:
    """The vectors of a manifest, from the cache or extracted into it, scaled as the settings or a space say.

    Every file that cannot be used is named in one error; with `skip_bad` it is left out of the manifest and recorded.
    """
    own = feature_set(config.set, config.options)
    key = key_of(manifest, FORMAT, own.name, own.digest, config.trim)
    folder = runtime.cache_folder / "vectors" / key

    def build(into: Path) -> Index:
        tell = progress or (lambda done, total: None)
        rows, bad = _extracted(manifest, config, own, runtime, tell)
        write_through(into / DATA, lambda stream: stream.write(rows.tobytes()))
        return {"format": FORMAT, "rows": len(rows), "bad": bad}

    def is_whole(where: Path, index: Index) -> bool:
        return bool((where / DATA).stat().st_size == 4 * own.size * index["rows"])

    index = built(folder, is_whole, build)
    held = usable(manifest, index["bad"], skip_bad=skip_bad)
    raw = np.fromfile(folder / DATA, dtype=np.float32).reshape(-1, own.size)
    return VectorFeatures(held, key, raw, space or space_of_vectors(config), config)


def _extracted(
    manifest: Manifest, config: VectorConfig, own: FeatureSet, runtime: RuntimeConfig, tell: Progress
) -> tuple[Row, dict[str, str]]:
    """[usable utterances, size], and the files that have no vector, with the reason."""
    speech = manifest.utterances
    workers = runtime.workers or usable_cores()
    if workers == 1 or manifest.seconds < WORTH_PROCESSES:
        found = _one_by_one(manifest.root, config, speech)
    else:
        found = in_processes(partial(_extract_chunk, manifest.root, config), speech, workers)
    rows: list[Row] = []
    bad = {}
    tell(0, len(speech))
    for done, one in enumerate(found, start=1):
        if isinstance(one, BadFile):
            bad[one.path] = one.reason
        else:
            rows.append(one)
        tell(done, len(speech))
    return np.array(rows, np.float32).reshape(-1, own.size), bad


def _extract_chunk(root: Path, config: VectorConfig, speech: Sequence[Utterance]) -> list[Row | BadFile]:
    return list(_one_by_one(root, config, speech))


def _one_by_one(root: Path, config: VectorConfig, speech: Sequence[Utterance]) -> Generator[Row | BadFile, None, None]:
    """The same bits in a process that has many threads and in one that has few."""
    own = feature_set(config.set, config.options)
    with threadpool_limits(1), one_thread():
        for utterance in speech:
            yield _vector(root, utterance, config.trim, own)


def _vector(root: Path, utterance: Utterance, trim: float, own: FeatureSet) -> Row | BadFile:
    waveform = decoded(root, utterance)
    if isinstance(waveform, BadFile):
        return waveform
    heard = trimmed(waveform, trim)
    if fault := fault_of(heard):
        return BadFile(utterance.path, fault)
    vector = own.extract(heard)
    if not np.isfinite(vector).all():
        number = int(np.flatnonzero(~np.isfinite(vector))[0])
        return BadFile(utterance.path, f"{own.names[number]} of {own.name} is no number")
    return vector
