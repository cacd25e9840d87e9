"""Small trees of sound in the published layouts."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
import soundfile

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
