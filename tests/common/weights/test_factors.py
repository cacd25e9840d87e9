"""A cut to low rank is the best there is, and all of it comes back where nothing is cut."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from common.seeds import torch_stream
from common.weights.factors import factors, product

SIZES = st.tuples(st.integers(1, 12), st.integers(1, 12))


def matrix_of(sizes, seed=0):
    return torch.randn(sizes, generator=torch_stream(seed, "matrix"))


@given(sizes=SIZES, seed=st.integers(0, 1000))
def test_the_full_rank_gives_the_matrix_back_within_rounding(sizes, seed):
    matrix = matrix_of(sizes, seed)
    torch.testing.assert_close(product(factors(matrix, min(sizes)), sizes), matrix, rtol=1e-5, atol=1e-5)


@given(sizes=SIZES, data=st.data())
def test_a_cut_is_as_near_as_its_rank_allows(sizes, data):
    """What is missing is the singular values that were left out (Eckart and Young 1936)."""
    matrix = matrix_of(sizes)
    rank = data.draw(st.integers(1, min(sizes)))
    left_out = torch.linalg.svdvals(matrix.double())[rank:].square().sum().sqrt()
    missing = (product(factors(matrix, rank), sizes).double() - matrix.double()).norm()
    assert float(missing) == pytest.approx(float(left_out), abs=1e-5)


def test_both_halves_of_a_direction_are_equally_large():
    rows = factors(1000 * matrix_of((40, 3)), 2)
    torch.testing.assert_close(rows[:, :40].abs().amax(dim=1), rows[:, 40:].abs().amax(dim=1))


def test_a_matrix_of_zeros_has_factors_of_zeros():
    assert not factors(torch.zeros(4, 3), 2).any()


def test_a_kernel_is_read_as_the_matrix_of_its_outputs():
    kernel = matrix_of((4, 2, 3, 3))
    assert product(factors(kernel.flatten(1), 4), (4, 2, 3, 3)).shape == kernel.shape


@pytest.mark.parametrize("rank", [0, 4])
def test_a_rank_that_the_matrix_has_not_is_refused_in_one_line(rank):
    with pytest.raises(UserError, match=f"rank {rank} is more than a matrix of 3 by 7 has") as caught:
        factors(torch.ones(3, 7), rank)
    assert "\n" not in str(caught.value)
