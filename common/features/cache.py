"""Log-mels on disk: extracted once, read through a memory map ever after.

Owns the cache's files, who may build one and when one is stale. Must not know what log-mels are used for.

A folder an answer, named by what defines it: every file's path, size and time, and the settings of the extractor. A
changed file or setting is another name, so nothing is ever updated in place.
"""

import fcntl
import hashlib
import json
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from common.config.tree import FeatureConfig, RuntimeConfig
from common.corpora import audio
from common.corpora.manifest import BadFile, Manifest
from common.errors import UserError, UserErrors
from common.features.extractor import LogMel
from common.files import atomic_json

FORMAT = 1
DATA, INDEX = "log_mels.f16", "index.json"
WORTH_PROCESSES = 3600.0
"""Seconds of speech below which starting worker processes costs more than it saves."""
CHUNK = 64

LogMels = NDArray[np.float16]
Progress = Callable[[int, int], object]


@dataclass(frozen=True, eq=False)
class Features:
    """The log-mels of a manifest's utterances, in its order; `features[i]` is [mels, frames] on disk."""

    manifest: Manifest
    key: str
    _data: LogMels
    _places: tuple[tuple[int, int], ...]
    _mels: int

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: int) -> LogMels:
        start, frames = self._places[number]
        return self._data[start : start + self._mels * frames].reshape(self._mels, frames)

    def __iter__(self) -> Iterator[LogMels]:
        return (self[number] for number in range(len(self)))

    def of(self, part: Manifest) -> "Features":
        """The features of a part of the manifest, such as one side of a fold."""
        places = {u.path: place for u, place in zip(self.manifest.utterances, self._places, strict=True)}
        return replace(self, manifest=part, _places=tuple(places[u.path] for u in part.utterances))


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
    cache = Path(runtime.cache).expanduser() / "features"
    key = _key(manifest, config)
    folder = cache / key
    if not (folder / INDEX).exists():
        with _only_builder(cache, key):
            if not (folder / INDEX).exists():  # another process may have built it while this one waited
                _build(folder, manifest, config, runtime, progress or (lambda done, total: None))
    return _open(folder, manifest, config, skip_bad=skip_bad)


def _key(manifest: Manifest, config: FeatureConfig) -> str:
    digest = hashlib.sha256(json.dumps([FORMAT, _extraction(config)]).encode())
    for utterance in manifest.utterances:
        try:
            state = (manifest.root / utterance.path).stat()
        except OSError:
            digest.update(f"{utterance.path}\0gone\n".encode())
        else:
            digest.update(f"{utterance.path}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return f"{manifest.corpus}-{digest.hexdigest()[:16]}"


def _extraction(config: FeatureConfig) -> dict[str, Any]:
    """The settings that change a log-mel; filling and scaling come later."""
    return config.model_dump(mode="json", exclude={"patch_frames", "padding", "scaling"})


@contextmanager
def _only_builder(cache: Path, key: str) -> Iterator[None]:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock = (cache / f".{key}.lock").open("w")
    except OSError as error:
        raise UserError("cannot write the cache", where=cache, remedy=f"{error.strerror}; set runtime.cache") from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(folder: Path, manifest: Manifest, config: FeatureConfig, runtime: RuntimeConfig, progress: Progress) -> None:
    """Extract into a neighbour, then rename: a cache is whole or absent."""
    partial_folder = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    places: list[tuple[int, int] | None] = []
    bad: dict[str, str] = {}
    start = 0
    try:
        with (partial_folder / DATA).open("wb") as stream:
            for done, (utterance, result) in enumerate(
                zip(manifest.utterances, _extracted(manifest, config, runtime), strict=True), start=1
            ):
                if isinstance(result, str):
                    bad[utterance.path] = result
                    places.append(None)
                else:
                    stream.write(result.tobytes())
                    places.append((start, result.shape[1]))
                    start += result.size
                progress(done, len(manifest))
            stream.flush()
            os.fsync(stream.fileno())
        atomic_json(partial_folder / INDEX, {"format": FORMAT, "places": places, "bad": bad})
        partial_folder.replace(folder)
    except OSError as error:
        raise UserError("cannot write the cache", where=folder, remedy=f"{error.strerror}; set runtime.cache") from None
    finally:
        shutil.rmtree(partial_folder, ignore_errors=True)


def _extracted(manifest: Manifest, config: FeatureConfig, runtime: RuntimeConfig) -> Iterator[LogMels | str]:
    """A log-mel or the reason why there is none, for each utterance in turn."""
    paths = [manifest.root / utterance.path for utterance in manifest.utterances]
    device = "cuda" if runtime.device != "cpu" and torch.cuda.is_available() else "cpu"
    workers = runtime.workers or os.cpu_count() or 1
    if device == "cuda" or workers == 1 or manifest.seconds < WORTH_PROCESSES:
        yield from _extract(paths, config, device)
        return
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    context = multiprocessing.get_context("spawn")  # forking a process that runs torch threads can hang
    with ProcessPoolExecutor(workers, mp_context=context, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for chunk in pool.map(partial(_extract_all, config=config), chunks):
            yield from chunk


def _extract_all(paths: list[Path], config: FeatureConfig) -> list[LogMels | str]:
    return list(_extract(paths, config, "cpu"))


def _extract(paths: list[Path], config: FeatureConfig, device: str) -> Iterator[LogMels | str]:
    extractor = LogMel(config, device)
    for path in paths:
        try:
            waveform = torch.from_numpy(audio.load(path))
        except UserError as error:
            yield str(error)
        else:
            yield extractor(waveform).to("cpu", torch.float16).numpy()


def _open(folder: Path, manifest: Manifest, config: FeatureConfig, *, skip_bad: bool) -> Features:
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    bad: dict[str, str] = index["bad"]
    if bad and not skip_bad:
        heading = (
            f"{len(bad)} of {len(manifest)} files below {manifest.root} cannot be used; --skip-bad leaves them out"
        )
        raise UserErrors(heading, list(bad.values()))
    usable = manifest
    if bad:
        usable = manifest.where(lambda utterance: utterance.path not in bad)
        skipped = tuple(BadFile(path, reason) for path, reason in bad.items())
        usable = replace(usable, skipped=(*manifest.skipped, *skipped))
    places = tuple((int(place[0]), int(place[1])) for place in index["places"] if place is not None)
    if not places:
        raise UserErrors(f"no file below {manifest.root} can be used", list(bad.values()))
    data = np.memmap(folder / DATA, dtype=np.float16, mode="r")
    return Features(usable, folder.name, data, places, config.mels)
