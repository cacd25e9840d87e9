"""Log-mels on disk: extracted once, read through a memory map ever after.

Owns the cache's files, who may build one and when one is stale. Must not know what log-mels are used for.

A folder an answer, named by what defines it: every file's path, size and time, and the settings of the extractor. A
changed file or setting is another name, so nothing is ever updated in place.
"""

import fcntl
import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import numpy as np
from numpy.typing import NDArray

from common.corpora.manifest import BadFile, Manifest
from common.errors import UserError, UserErrors
from common.features.extraction import Extracted, LogMels, extract
from common.files import atomic_json
from common.settings import FeatureConfig, RuntimeConfig
from common.space import SIDE

FORMAT = 2  # raise it when the extractor computes anything else than before
DATA, INDEX = "log_mels.f16", "index.json"
_PATIENCE, _GLANCE = 3600.0, 0.1  # seconds: how long to wait for another builder, and how often to look

Progress = Callable[[int, int], object]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Features:
    """The log-mels of a manifest's utterances, in its order; `features[i]` is a float16 view [mels, frames] on disk."""

    manifest: Manifest
    key: str
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
        """The features of a part of the manifest, such as one side of a fold."""
        numbers = {utterance.path: number for number, utterance in enumerate(self.manifest.utterances)}
        if missing := [utterance.path for utterance in part.utterances if utterance.path not in numbers]:
            where = ", ".join(missing[:3]) + ", ..." * (len(missing) > 3)
            remedy = "cut folds from the manifest that the features carry, which lacks files that were skipped"
            raise UserError(f"no features of {len(missing)} utterances", where=where, remedy=remedy)
        chosen = [numbers[utterance.path] for utterance in part.utterances]
        return replace(self, manifest=part, _starts=self._starts[chosen], frames=self.frames[chosen])


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
    folder = Path(runtime.cache).expanduser() / "features" / _key(manifest, config)
    index = _read_index(folder)
    if index is None:
        with _only_builder(folder):
            index = _read_index(folder)  # another process may have built it while this one waited
            if index is None:
                index = _build(folder, manifest, config, runtime, progress or (lambda done, total: None))
    return _open(folder, index, manifest, skip_bad=skip_bad)


def _key(manifest: Manifest, config: FeatureConfig) -> str:
    digest = hashlib.sha256(json.dumps([FORMAT, config.model_dump(mode="json")]).encode())
    for utterance in manifest.utterances:
        try:
            state = (manifest.root / utterance.path).stat()
        except OSError:
            digest.update(f"{utterance.path}\0gone\n".encode())
        else:
            digest.update(f"{utterance.path}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return f"{manifest.corpus}-{digest.hexdigest()[:16]}"


def _read_index(folder: Path) -> dict[str, Any] | None:
    """What stands in a cache, or None where it has to be built: it is not there, or was damaged since."""
    try:
        index: dict[str, Any] = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        size = (folder / DATA).stat().st_size
    except (OSError, ValueError):
        return None
    return index if size == sum(frames or 0 for frames in index["frames"]) * SIDE * 2 else None


def _open(folder: Path, index: dict[str, Any], manifest: Manifest, *, skip_bad: bool) -> Features:
    bad: dict[str, str] = index["bad"]
    if bad and (not skip_bad or len(bad) == len(manifest)):
        remedy = "mend them" + ", or go on without them with --skip-bad" * (len(bad) < len(manifest))
        heading = f"{len(bad)} of {len(manifest)} files below {manifest.root} cannot be used; {remedy}"
        raise UserErrors(heading, [f"{path}: {reason}" for path, reason in bad.items()])
    usable = manifest
    if bad:
        skipped = tuple(BadFile(path, reason) for path, reason in bad.items())
        usable = replace(manifest.where(lambda u: u.path not in bad), skipped=(*manifest.skipped, *skipped))
    frames = np.array([frames for frames in index["frames"] if frames is not None], dtype=np.int64)
    starts = (np.cumsum(frames) - frames) * SIDE
    data = np.asarray(np.memmap(folder / DATA, dtype=np.float16, mode="r"))  # slices of a plain array are cheaper
    return Features(usable, folder.name, data, starts, frames)


@contextmanager
def _only_builder(folder: Path) -> Iterator[None]:
    """Held by one process at a time, and let go by the system when that process dies."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        stream = folder.with_name(f".{folder.name}.lock").open("a+")
    except OSError as error:
        raise _unwritable(folder, error) from None
    with stream:
        _await_turn(stream)
        stream.truncate(0)
        stream.write(f"process {os.getpid()}")
        stream.flush()
        yield


def _await_turn(stream: TextIO) -> None:
    deadline = time.monotonic() + _PATIENCE
    told = False
    while True:
        try:
            return fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            builder = stream.read() or "another process"
        if not told:
            _log.warning("%s is extracting the same features; waiting for it", builder)
            told = True
        if time.monotonic() > deadline:
            what = f"{builder} has been extracting these features for over {_PATIENCE / 60:.0f} minutes"
            raise UserError(what, where=stream.name, remedy="see whether it hangs; end it and start again")
        time.sleep(_GLANCE)


def _build(
    folder: Path, manifest: Manifest, config: FeatureConfig, runtime: RuntimeConfig, progress: Progress
) -> dict[str, Any]:
    """Extract into a neighbour, then rename: a cache is whole or absent. The caller is the only builder."""
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)  # what a killed builder left
    try:
        unfinished.mkdir()
        with (unfinished / DATA).open("wb") as stream, closing(extract(manifest, config, runtime)) as extracted:
            frames, bad = _write(stream, extracted, len(manifest), progress)
            os.fsync(stream.fileno())
        index = {"format": FORMAT, "frames": frames, "bad": bad}
        atomic_json(unfinished / INDEX, index)
        shutil.rmtree(folder, ignore_errors=True)  # a damaged one
        unfinished.replace(folder)
    except OSError as error:
        raise _unwritable(folder, error) from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return index


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


def _unwritable(folder: Path, error: OSError) -> UserError:
    remedy = f"{error.strerror or error}; make room, or set runtime.cache to another place"
    return UserError("cannot write the feature cache", where=folder, remedy=remedy)
