"""A matrix of low rank, as the factors of which it is the product.

Owns the cut to the best rank, and the factors' one form: a row a direction, its left half and its right half equally
large, so that both halves do with one scale. Must not know which layer a matrix is of.
"""

import torch
from torch import Tensor

from common.errors import UserError
from common.threads import one_thread


@one_thread()  # the same bits at a site and in a test of it, however many threads either has
def factors(matrix: Tensor, rank: int) -> Tensor:
    """[m, n] -> [rank, m + n], of which the product is as near to the matrix as a product of that rank can be."""
    m, n = matrix.shape
    if not 1 <= rank <= min(m, n):
        remedy = f"ask for at most {min(m, n)}"
        raise UserError(f"rank {rank} is more than a matrix of {m} by {n} has", remedy=remedy)
    exact = matrix.double()
    # The smaller of the two squares: its eigenvectors are the singular ones of that side.
    if n <= m:
        right = torch.linalg.eigh(exact.t() @ exact).eigenvectors[:, -rank:].flip(1)
        left = exact @ right
    else:
        left = torch.linalg.eigh(exact @ exact.t()).eigenvectors[:, -rank:].flip(1)
        right = exact.t() @ left
    sides = left.t(), right.t()
    sizes = [side.abs().amax(dim=1, keepdim=True) for side in sides]
    even = (sizes[0] * sizes[1]).sqrt()  # 0 where the matrix has no such direction
    halves = [side * (even / size.clamp_min(1e-300)) for side, size in zip(sides, sizes, strict=True)]
    return torch.cat(halves, dim=1).float()


@one_thread()
def product(rows: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The matrix of these factors, read as a weight of this shape."""
    left, right = rows.float().split([shape[0], rows.shape[1] - shape[0]], dim=1)
    matrix: Tensor = left.t() @ right
    return matrix.view(shape)
