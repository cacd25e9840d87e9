"""Utterances and samples are compared in few numbers, in units of public speech."""

import numpy as np
import pytest
import torch

from common.audit.places import DIRECTIONS, place_of, windows_of
from common.spaces import PATCHES, Vectors

ODD = Vectors(set="of-another-package", size=40, scale="raw")


@pytest.fixture
def rows():
    return torch.from_numpy(np.random.default_rng(0).normal(size=(200, 40)).astype("f4")) * torch.arange(1, 41) + 7


def test_a_set_without_public_vectors_is_placed_by_what_is_audited(rows):
    placed = place_of(ODD, rows)(rows)
    assert placed.shape == (200, DIRECTIONS)
    assert placed.std(axis=0) == pytest.approx(np.ones(DIRECTIONS), abs=0.01)
    assert placed.mean(axis=0) == pytest.approx(np.zeros(DIRECTIONS), abs=1e-4)


def test_numbers_that_were_scaled_before_are_not_scaled_again(rows):
    scaled = (rows - rows.mean(dim=0)) / rows.std(dim=0, correction=0)
    session = ODD.model_copy(update={"scale": "session"})
    assert place_of(session, rows)(scaled) == pytest.approx(place_of(ODD, rows)(rows), abs=1e-3)


def test_a_direction_in_which_nothing_deviates_blows_nothing_up(rows):
    rows[:, 3] = 5.0
    moved = rows.clone()
    moved[0, 3] = 6.0
    place = place_of(ODD, rows)
    assert np.isfinite(place(moved)).all()


def test_patches_are_placed_by_their_statistics():
    place = place_of(PATCHES, torch.empty(0))
    noise = torch.rand(5, 1, 128, 128, generator=torch.Generator().manual_seed(0)) * 2 - 1
    placed = place(noise)
    assert placed.shape == (5, DIRECTIONS)
    assert np.isfinite(placed).all()
    assert np.abs(place(noise) - placed).max() == 0
    assert np.linalg.norm(place(noise.abs()) - placed, axis=1).min() > 1


def test_an_utterance_of_patches_is_cut_into_windows():
    values, owners = windows_of(PATCHES, [torch.zeros(128, 100), torch.zeros(128, 200)])
    assert values.shape == (4, 1, 128, 128)
    assert owners.tolist() == [0, 1, 1, 1]


def test_a_vector_is_its_utterance():
    values, owners = windows_of(ODD, [torch.zeros(40), torch.ones(40)])
    assert values.shape == (2, 40)
    assert owners.tolist() == [0, 1]
