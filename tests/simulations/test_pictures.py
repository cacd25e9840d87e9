"""The figure is whole, small, and its axes tell the truth."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from common.config import FeatureConfig
from common.features.extractor import LogMel
from simulations.pictures import bands_at, draw_spectrograms


@pytest.mark.parametrize("features", [FeatureConfig(), FeatureConfig(fft=1024)], ids=str)
@pytest.mark.parametrize("hertz", [500, 1000, 4000, 7000])
def test_a_tone_lies_at_the_tick_of_its_frequency(hertz: int, features: FeatureConfig) -> None:
    tone = torch.sin(2 * torch.pi * hertz * torch.arange(16_000) / 16_000)
    loudest = LogMel(features)(tone).mean(dim=1).argmax().item()
    assert loudest == pytest.approx(bands_at([hertz])[0], abs=1)


def test_a_picture_has_a_cell_for_each_spectrogram_and_stays_small(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=(128, 90)).astype(np.float16)
    sizes = []
    for name, rows in (("one", {"sad": [noise]}), ("four", {"sad": [noise, noise], "angry": [noise, noise]})):
        path = tmp_path / "new" / f"{name}.png"
        draw_spectrograms(path, rows, ["a"] * len(rows["sad"]), FeatureConfig(), "title")
        with Image.open(path) as picture:
            sizes.append(picture.size)
            assert len(picture.convert("RGB").getcolors(2**24)) > 20
        assert path.stat().st_size < 300_000
    assert sizes[1] > sizes[0]


def test_a_long_title_is_not_cut_over_a_single_cell(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=(128, 90)).astype(np.float16)
    path = tmp_path / "one.png"
    draw_spectrograms(
        path, {"sad": [noise]}, [""], FeatureConfig(), "Session1-0123456789ab, seed 0, latents scaled by 1.5"
    )
    with Image.open(path) as picture:
        drawn = np.asarray(picture.convert("L"))
    assert drawn[:40].min() < 100
    assert min(drawn[:40, :3].min(), drawn[:40, -3:].min()) > 240
