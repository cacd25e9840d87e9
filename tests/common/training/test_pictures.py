"""Patches as pictures."""

import torch
from matplotlib.image import imread

from common.training.pictures import GAP, grid, save_picture


def test_low_frequencies_lie_at_the_bottom_and_patches_stand_in_rows():
    patches = torch.zeros(3, 1, 8, 8)
    patches[0, 0, 0] = 1
    sheet = grid(patches, columns=2)
    assert sheet.shape == (16 + GAP, 16 + GAP)
    assert (sheet[7, :8] == 1).all()
    assert (sheet[0, :8] == 0).all()
    assert sheet[8 + GAP :, 8 + GAP :].isnan().all()


def test_louder_is_brighter(tmp_path):
    patches = torch.stack([torch.full((1, 8, 8), level) for level in (-1.0, 0.0, 1.0)])
    save_picture(tmp_path / "levels.png", patches, columns=3)
    pixels = imread(tmp_path / "levels.png")[..., :3].sum(axis=2)
    brightness = [pixels[4, 4 + number * (8 + GAP)] for number in range(3)]
    assert brightness == sorted(brightness)
    assert brightness[2] - brightness[0] > 1
