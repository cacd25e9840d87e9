"""A few seconds of something like speech, in memory and on disk."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common.config import FeatureConfig, RuntimeConfig
from common.corpora.manifest import Manifest, Utterance
from common.corpora.parts import Part

EMOTIONS = ("neutral", "angry", "sad", "happy")


def _speak(seconds: float, seed: int = 0) -> np.ndarray:
    return _spoken(seconds, seed).copy()


@cache
def _spoken(seconds: float, seed: int) -> np.ndarray:
    """Harmonics that fall by 12 dB an octave, breath, and a pause of digital silence, in 16 bits."""
    chance = np.random.default_rng(seed)
    time = np.arange(int(16_000 * seconds)) / 16_000
    pitch = chance.uniform(100, 250)
    wave = sum(np.sin(2 * np.pi * number * pitch * time) / number**2 for number in range(1, 30))
    wave = wave * np.abs(np.sin(3 * time)) + 1e-3 * chance.standard_normal(len(time))
    wave[len(wave) // 3 : len(wave) // 2] = 0
    return (np.rint(0.5 * wave / np.abs(wave).max() * 32767) / 32768).astype(np.float32)


@pytest.fixture(scope="session")
def voice() -> Callable[..., np.ndarray]:
    """A function of seconds and a seed."""
    return _speak


@pytest.fixture
def config() -> FeatureConfig:
    return FeatureConfig()


@pytest.fixture
def runtime(tmp_path: Path) -> RuntimeConfig:
    return RuntimeConfig(cache=str(tmp_path / "cache"), device="cpu", workers=1)


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """Eight recordings of 0.5 to 4 seconds, two of each emotion."""
    utterances = []
    for number in range(8):
        path, seconds = f"{number}.wav", 0.5 * (number + 1)
        soundfile.write(tmp_path / path, _speak(seconds, number), 16_000)
        utterances.append(Utterance(path, f"speaker{number % 2}", "one", seconds, EMOTIONS[number % 4]))
    return Manifest("small", tmp_path, EMOTIONS, tuple(utterances))


@pytest.fixture
def in_one_file(manifest: Manifest) -> Manifest:
    """The same utterances, one after the other in a single file."""
    waves = [soundfile.read(manifest.root / utterance.file, dtype="int16")[0] for utterance in manifest.utterances]
    soundfile.write(manifest.root / "all.wav", np.concatenate(waves), 16_000)
    parts, start = [], 0.0
    for utterance in manifest.utterances:
        part = Part(start, start + utterance.seconds)
        parts.append(replace(utterance, path=part.name("all.wav"), part=part))
        start += utterance.seconds
    return replace(manifest, utterances=tuple(parts))
