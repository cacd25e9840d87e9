"""Small trees of sound in the published layouts."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common.space import SAMPLE_RATE

Plant = Callable[[Iterable[str]], Path]


def tone(seconds: float = 0.1, rate: int = 16_000, channels: int = 1) -> np.ndarray:
    """440 Hz at half of full scale, the same in every channel."""
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1)


@pytest.fixture
def write_tone() -> Callable[..., Path]:
    def write(path: Path, subtype: str | None = None, **shape: float) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, tone(**shape), int(shape.get("rate", 16_000)), subtype=subtype)
        return path

    return write


@pytest.fixture
def plant(tmp_path: Path, write_tone: Callable[..., Path]) -> Plant:
    """A folder with a tenth of a second of sound at each of these paths."""

    def write(paths: Iterable[str]) -> Path:
        root = tmp_path / "corpus"
        for path in paths:
            write_tone(root / path)
        return root

    return write


def median_pitch(wave: np.ndarray) -> float:
    """Hertz, by autocorrelation over the loud and periodic windows; every third of a window's length."""
    length = 768
    windows = np.lib.stride_tricks.sliding_window_view(wave, length)[:: length // 3]
    windows = windows[(windows**2).sum(axis=1) > 0.1 * (windows**2).sum(axis=1).max()]
    windows = (windows - windows.mean(axis=1, keepdims=True)) * np.hanning(length)
    power = np.abs(np.fft.rfft(windows, 2 * length, axis=1)) ** 2
    likeness = np.fft.irfft(power, axis=1)[:, :length]
    likeness /= likeness[:, :1] * np.linspace(1, 0.4, length)  # the taper's own decay
    lags = np.arange(SAMPLE_RATE // 500, SAMPLE_RATE // 65)
    best = likeness[:, lags]
    periodic = best.max(axis=1) > 0.4
    # the shortest of nearly equal lags: a multiple of the period fits as well as the period
    first = (best[periodic] > 0.9 * best[periodic].max(axis=1, keepdims=True)).argmax(axis=1)
    peak = [row[start : start + 12].argmax() + start for row, start in zip(best[periodic], first, strict=True)]
    return float(np.median(SAMPLE_RATE / lags[peak]))


@pytest.fixture(scope="session")
def pitch_of() -> Callable[[np.ndarray], float]:
    return median_pitch
