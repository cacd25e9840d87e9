"""The spectral norm of a weight: how it is found, followed and divided out.

Owns the two singular vectors of a weight and the power iteration that follows it. Must not know which network
a weight serves or how a layer computes. A weight of more than two dimensions is read as a matrix, first
dimension by the rest (Miyato et al. 2018, section 2.1).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

KRYLOV_STEPS = 40
"""Enough for six digits of a random matrix of any size here, where power iteration needs hundreds."""
SMALLEST = 1e-12


class SpectralNorm(nn.Module):
    """The leading singular pair of one weight, as buffers that travel with it."""

    u: Tensor
    v: Tensor

    def __init__(self, weight: Tensor, stream: torch.Generator) -> None:
        super().__init__()
        rows, columns = weight.flatten(1).shape
        self.register_buffer("u", torch.empty(rows, device=weight.device))
        self.register_buffer("v", torch.empty(columns, device=weight.device))
        if not weight.is_meta:
            self.u.normal_(generator=stream)
            self.converge(weight)

    def sigma(self, weight: Tensor) -> Tensor:
        """The estimated norm; gradients reach the weight and stop at the vectors."""
        return self.u @ (weight.flatten(1) @ self.v)

    @torch.no_grad()
    def advance(self, weight: Tensor) -> None:
        """One power iteration, so that the estimate follows a weight that has just been trained."""
        matrix = weight.flatten(1)
        self.u.copy_(_unit(matrix @ self.v))
        self.v.copy_(_unit(matrix.t() @ self.u))

    @torch.no_grad()
    def converge(self, weight: Tensor) -> None:
        """Find the leading pair in the Krylov space that grows from wherever u stands."""
        matrix = weight.flatten(1)
        basis = _unit(self.u)[None]
        for _ in range(min(KRYLOV_STEPS, *matrix.shape) - 1):
            grown = matrix @ (matrix.t() @ basis[-1])
            for _ in range(2):  # once leaves rounding errors that bring the leading vector back in
                grown = grown - basis.t() @ (basis @ grown)
            basis = torch.cat((basis, _unit(grown)[None]))
        left, _, right = torch.linalg.svd(basis @ matrix, full_matrices=False)
        self.u.copy_(basis.t() @ left[:, 0])
        self.v.copy_(right[0])


def _unit(vector: Tensor) -> Tensor:
    return functional.normalize(vector, dim=0, eps=SMALLEST)
