"""How much faster features come than from other people's code, and from the cache than from speech.

Owns the alternation of the contestants, the threads that they share and the clock. Must not know how any of them works.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import librosa
import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torchaudio.transforms import MelSpectrogram

from common.corpora.audio import load
from common.corpora.manifest import Manifest
from common.features.cache import features_for
from common.features.extractor import LogMel
from common.settings import FeatureConfig, RuntimeConfig
from common.space import SAMPLE_RATE, SIDE
from simulations.benchmarks import vectors

ROUNDS = 7
"""Turns of each that are counted, after one that is not."""

Waveforms = Sequence[NDArray[np.float32]]
Contestant = Callable[[NDArray[np.float32]], object]


def bench_features(
    manifest: Manifest, seconds: float = 300.0, threads: int = 1, rounds: int = ROUNDS
) -> dict[str, Any]:
    """Ratios of time, above 1 where ours is faster; each with the range over the rounds.

    Args:
        manifest: the speech, of which so many `seconds` are taken from all over it.
        seconds: how much speech a turn is.
        threads: what every contestant may use.
        rounds: how often each takes its turn.
    """
    part = _spread(manifest, seconds)
    config = FeatureConfig()
    with _threads(threads):
        waveforms = [load(part.root / u.file, u.part) for u in part.utterances]
        turns = _alternate(waveforms, _contestants(config), rounds)
        speech, spoken = vectors.heard(waveforms)
        of_vectors = _alternate(speech, {name: one.extract for name, one in vectors.contestants().items()}, rounds)
        first, second = _cache_passes(part, config, threads, rounds)
    ours = turns.pop("ours")
    return {
        "corpus": part.corpus,
        "utterances": len(part),
        "seconds_of_speech": round(part.seconds, 1),
        "threads": threads,
        "rounds": rounds,
        "times_real_time": round(part.seconds / statistics.median(ours)),
        **_compare("ratio_vs_librosa", turns["librosa"], ours),
        **_compare("ratio_vs_torchaudio", turns["torchaudio"], ours),
        **_compare("cache_speedup", first, second),
        "vectors_a_second": vectors.rates(of_vectors, spoken),
    }


def _spread(manifest: Manifest, seconds: float) -> Manifest:
    """About so much speech from all over a corpus."""
    stride = max(1, int(manifest.seconds / seconds))
    return replace(manifest, utterances=manifest.utterances[::stride])


def _contestants(config: FeatureConfig) -> dict[str, Contestant]:
    """The same mel power from each; ours takes its logarithm as well."""
    extractor = LogMel(config)
    transform = MelSpectrogram(
        SAMPLE_RATE,
        config.fft,
        config.window,
        config.hop,
        n_mels=SIDE,
        pad_mode="constant",
        norm="slaney",
        mel_scale="slaney",
    )

    def by_librosa(waveform: NDArray[np.float32]) -> object:
        return librosa.feature.melspectrogram(
            y=waveform,
            sr=SAMPLE_RATE,
            n_fft=config.fft,
            hop_length=config.hop,
            win_length=config.window,
            pad_mode="constant",
            n_mels=SIDE,
        )

    return {
        "ours": lambda waveform: extractor(torch.from_numpy(waveform)),
        "librosa": by_librosa,
        "torchaudio": lambda waveform: transform(torch.from_numpy(waveform)),
    }


def _alternate(waveforms: Waveforms, contestants: dict[str, Contestant], rounds: int) -> dict[str, list[float]]:
    """Seconds of each turn; who begins changes from round to round."""
    turns: dict[str, list[float]] = {name: [] for name in contestants}
    order = list(contestants)
    for _ in range(1 + rounds):
        for name in order:
            start = time.perf_counter()
            for waveform in waveforms:
                contestants[name](waveform)
            turns[name].append(time.perf_counter() - start)
        order = order[1:] + order[:1]
    return {name: seconds[1:] for name, seconds in turns.items()}


def _cache_passes(
    manifest: Manifest, config: FeatureConfig, threads: int, rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds of a pass over all features that starts from speech, and of one that finds them in the cache."""
    first: list[float] = []
    second: list[float] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as cache:
            runtime = RuntimeConfig(cache=cache, device="cpu", workers=threads)
            for seconds in (first, second):
                start = time.perf_counter()
                for log_mel in features_for(manifest, config, runtime):
                    log_mel.copy()
                seconds.append(time.perf_counter() - start)
    return first, second


def _compare(name: str, theirs: list[float], ours: list[float]) -> dict[str, Any]:
    ratios = [slow / fast for slow, fast in zip(theirs, ours, strict=True)]
    extremes = [round(min(ratios), 2), round(max(ratios), 2)]
    return {name: round(statistics.median(ratios), 2), f"{name}_range": extremes}


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """The same number of threads for numpy's and torch's arithmetic."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with threadpool_limits(count):
            yield
    finally:
        torch.set_num_threads(before)
