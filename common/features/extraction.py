"""Recordings to log-mels, many at a time.

Owns who decodes and who extracts: this process, others, or a GPU with decoders beside it. Must not know where
log-mels are kept.
"""

import multiprocessing
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from common.cores import usable_cores
from common.corpora import audio
from common.corpora.manifest import BadFile, Manifest, Utterance
from common.errors import UserError
from common.features.extractor import LogMel
from common.features.silence import trimmed
from common.settings import FeatureConfig, RuntimeConfig
from common.threads import one_thread

WORTH_PROCESSES = 2 * 3600.0
"""Seconds of speech below which starting other processes costs more than it saves."""
_CHUNK = 32  # recordings that travel together between processes

LogMels = NDArray[np.float16]
Extracted = LogMels | BadFile
Utterances = Sequence[Utterance]
One = TypeVar("One")


def extract(manifest: Manifest, config: FeatureConfig, runtime: RuntimeConfig) -> Generator[Extracted, None, None]:
    """The log-mel of each utterance in turn, or what is wrong with its file."""
    speech, workers = manifest.utterances, runtime.workers or usable_cores()
    if runtime.device != "cpu" and torch.cuda.is_available():
        device = "cuda" if runtime.device == "auto" else runtime.device
        return _beside_decoders(manifest.root, speech, config, device, workers)
    if workers == 1 or manifest.seconds < WORTH_PROCESSES:
        return _one_by_one(manifest.root, speech, config)
    return in_processes(partial(_extract_chunk, manifest.root, config), speech, workers)


def _one_by_one(root: Path, speech: Utterances, config: FeatureConfig) -> Generator[Extracted, None, None]:
    extractor = LogMel(config)
    with one_thread():  # the work comes in pieces too small to share
        for utterance in speech:
            yield _finish(decoded(root, utterance), extractor, config.trim)


def _beside_decoders(
    root: Path, speech: Utterances, config: FeatureConfig, device: str, workers: int
) -> Generator[Extracted, None, None]:
    """Threads decode, as that waits for the disk and leaves Python's lock alone; a GPU extracts."""
    extractor = LogMel(config, device)
    with ThreadPoolExecutor(workers) as pool:
        for chunk in _chunks(speech):  # and no further ahead: waveforms are large
            for one in pool.map(partial(decoded, root), chunk):
                yield _finish(one, extractor, config.trim)


def in_processes(
    work: Callable[[Utterances], list[One]], speech: Utterances, workers: int
) -> Generator[One, None, None]:
    """What `work` makes of each utterance, in order; it and its answers travel between processes."""
    context = multiprocessing.get_context("spawn")  # forking a process that runs torch threads can hang
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker) as pool:
        try:
            for extracted in pool.map(work, _chunks(speech)):
                yield from extracted
        except BrokenProcessPool:
            what = "a process that extracts features was killed, perhaps for want of memory"
            raise UserError(what, remedy="lower runtime.workers; 1 needs no other process") from None
        finally:
            pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asked; it stops the others


def _extract_chunk(root: Path, config: FeatureConfig, speech: Utterances) -> list[Extracted]:
    return list(_one_by_one(root, speech, config))


def _chunks(speech: Utterances) -> list[Utterances]:
    return [speech[start : start + _CHUNK] for start in range(0, len(speech), _CHUNK)]


def decoded(root: Path, utterance: Utterance) -> NDArray[np.float32] | BadFile:
    """An utterance's samples, or what is wrong with its file."""
    try:
        return audio.load(root / utterance.file, utterance.part)
    except audio.AudioError as error:
        if not error.lasting:
            raise  # a verdict is kept for as long as the file stays as it is
        return BadFile(utterance.path, error.reason)


def _finish(one: NDArray[np.float32] | BadFile, extractor: LogMel, trim: float) -> Extracted:
    if isinstance(one, BadFile):
        return one
    return extractor(torch.from_numpy(trimmed(one, trim))).to("cpu", torch.float16).numpy()
