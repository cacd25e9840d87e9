"""Rounding to 8 bits moves no expected value, and no number by more than a step."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from common.seeds import torch_stream
from common.weights.rows import LARGEST, rounded, unrounded

MATRICES = arrays.arrays("float32", (3, 5), elements=st.floats(-900, 900, width=32))
TIMES = 4000


@given(array=MATRICES, seed=st.integers(0, 1000))
def test_no_number_moves_by_more_than_a_step_of_its_row(array, seed):
    matrix = torch.from_numpy(array.copy())
    rows, scales = rounded(matrix, torch_stream(seed))
    assert (rows.dtype, scales.dtype) == (torch.int8, torch.float16)
    assert int(rows.short().abs().max()) <= LARGEST
    assert bool(((unrounded(rows, scales) - matrix).abs() <= scales.float()[:, None] * 1.0001).all())


def test_rounding_by_chance_is_right_on_average_and_rounding_to_the_nearest_is_not():
    row = torch.tensor([[127.0, 0.3, -0.3, 64.45, -63.55]])
    times = row.expand(TIMES, 5)
    rows, scales = rounded(times, torch_stream(1))
    assert scales.unique().tolist() == [1.0]
    off = (unrounded(rows, scales).mean(dim=0) - row[0]).abs()
    plain = (times.round().mean(dim=0) - row[0]).abs()
    five_deviations = 5 * 0.5 / TIMES**0.5
    assert float(off.max()) < five_deviations
    assert float(plain.max()) > 10 * five_deviations


def test_the_dice_decide_and_the_same_dice_decide_alike():
    matrix = torch.randn(4, 50, generator=torch_stream(0))
    same, again, other = (rounded(matrix, torch_stream(seed))[0] for seed in (1, 1, 2))
    assert torch.equal(same, again)
    assert not torch.equal(same, other)


def test_a_row_of_zeros_stays_one():
    rows, scales = rounded(torch.zeros(2, 3), torch_stream(0))
    assert not unrounded(rows, scales).any()


def test_numbers_that_are_hardly_any_come_back_as_hardly_any():
    rows, scales = rounded(torch.full((1, 3), 1e-9), torch_stream(0))
    assert float(unrounded(rows, scales).abs().max()) < 1e-7
