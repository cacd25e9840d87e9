"""The spectral norm of a weight: how it is found, followed and divided out.

Owns the two singular vectors of a weight, the power iteration that follows it, and the division with its gradient.
Must not know which network a weight serves. A weight of more than two dimensions is read as a matrix, first dimension
by the rest (Miyato et al. 2018, section 2.1).
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from common.networks.acceleration import lowered, lowered_type
from common.networks.fusion import MANY, fused
from common.threads import one_thread

KRYLOV_STEPS = 40
"""Enough for six digits of a random matrix of any size here, where power iteration needs hundreds."""
SMALLEST = 1e-12
EXHAUSTED = 1e-5
"""A direction that adds less than this share of its length to the space is none: a weight of few singular values."""


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
        """The estimated norm; gradients reach the weight, any number of times, and stop at the vectors."""
        with torch.autocast(weight.device.type, enabled=False):
            return self.u @ (weight.flatten(1) @ self.v)

    def divide(self, weight: Tensor) -> Tensor:
        """The weight divided by its norm, in the type that an autocast asks for; differentiable once."""
        divided: Tensor = _Divided.apply(weight, self.u, self.v, lowered_type(weight))  # type: ignore[no-untyped-call]
        return divided

    def multiply(self, rows: Tensor, weight: Tensor, *, back: bool = False) -> Tensor:
        """Rows times the transpose of a divided matrix, or times the matrix for the way back; differentiable once.

        The product is divided instead of the matrix, which is the larger of the two.
        """
        product: Tensor = _Multiplied.apply(rows, weight, self.u, self.v, back)  # type: ignore[no-untyped-call]
        return product

    def to_and_fro(
        self, rows: Tensor, others: Tensor, slope: Tensor, weight: Tensor, bias: Tensor, leak: float
    ) -> tuple[Tensor, Tensor]:
        """`multiply` of rows, and of a slope on its way back from where the matrix takes the others; in one."""
        both: tuple[Tensor, Tensor]
        both = _ToAndFro.apply(rows, others, slope, weight, bias, self.u, self.v, leak)  # type: ignore[no-untyped-call]
        return both

    @torch.no_grad()
    @one_thread()  # a server and a client that load the same weights must find the same pair
    def converge(self, weight: Tensor) -> None:
        """Find the leading pair in the Krylov space that grows from wherever u stands."""
        matrix = weight.flatten(1)
        basis = _krylov_space(matrix, matrix @ (matrix.t() @ self.u))  # what the matrix cannot reach would cost a step
        left, _, right = torch.linalg.svd(basis @ matrix, full_matrices=False)
        self.u.copy_(basis.t() @ left[:, 0])
        self.v.copy_(right[0])


def _krylov_space(matrix: Tensor, started: Tensor) -> Tensor:
    """Orthonormal rows that span what grows from a vector as the matrix is applied to and fro."""
    rows = matrix.new_empty(min(KRYLOV_STEPS, *matrix.shape), len(matrix))
    torch.div(started, torch.linalg.vector_norm(started).clamp_min(SMALLEST), out=rows[0])
    for count in range(1, len(rows)):
        basis = rows[:count]
        grown = matrix @ (matrix.t() @ basis[-1])
        length = torch.linalg.vector_norm(grown)
        for _ in range(2):  # once leaves rounding errors that bring the leading vector back in
            grown = grown - basis.t() @ (basis @ grown)
        left = torch.linalg.vector_norm(grown)
        if left <= EXHAUSTED * length:  # what is left is rounding, and would be taken for a direction
            return basis
        torch.div(grown, left.clamp_min(SMALLEST), out=rows[count])
    return rows


@torch.no_grad()
def advance(norms: Sequence[SpectralNorm], weights: Sequence[Tensor]) -> None:
    """One power iteration each, so that the estimates follow weights that have just been trained."""
    matrices = [_matrix(weight, weight) for weight in weights]
    left, right = [norm.u for norm in norms], [norm.v for norm in norms]
    for weight, matrix, u, v in zip(weights, matrices, left, right, strict=True):
        torch.mv(matrix, _matrix(v, weight).flatten(), out=u)
    _normalize_(left)
    for weight, matrix, u, v in zip(weights, matrices, left, right, strict=True):
        v.copy_(_shaped(torch.mv(matrix.t(), u)[None], weight).flatten())
    _normalize_(right)


def _matrix(values: Tensor, weight: Tensor) -> Tensor:
    """Values of a weight's shape, or a row of it, as the matrix of which the numbers lie as the weight's do."""
    rows = values.reshape(-1, *weight.shape[1:])
    return rows.flatten(1) if weight.is_contiguous() else rows.permute(0, 2, 3, 1).flatten(1)


def _shaped(matrix: Tensor, weight: Tensor) -> Tensor:
    """The inverse of `_matrix`."""
    if weight.is_contiguous():
        return matrix.view(-1, *weight.shape[1:])
    inputs, *taps = weight.shape[1:]
    return matrix.view(-1, *taps, inputs).permute(0, 3, 1, 2)


def _normalize_(vectors: list[Tensor]) -> None:
    lengths = torch._foreach_norm(vectors)
    torch._foreach_clamp_min_(lengths, SMALLEST)
    torch._foreach_div_(vectors, lengths)


@fused(MANY)
def _read(matrix: Tensor, u: Tensor, v: Tensor, kind: torch.dtype) -> tuple[Tensor, Tensor]:
    """A matrix in another type, and its norm."""
    return matrix.to(kind), u @ (matrix @ v)


def _lowered_and_sigma(weight: Tensor, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    kind = lowered_type(weight)
    with torch.autocast(weight.device.type, enabled=False):
        both: tuple[Tensor, Tensor] = _read(weight.detach(), u, v, kind)
    return both


@fused(MANY)
def _divide(matrix: Tensor, u: Tensor, v: Tensor, kind: torch.dtype) -> tuple[Tensor, Tensor]:
    sigma = u @ (matrix @ v)
    return (matrix / sigma).to(kind), sigma


@fused(MANY)
def _undivide(matrix: Tensor, gradient: Tensor, sigma: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """The gradient of a matrix from that of the divided one."""
    gradient = gradient.to(matrix.dtype)
    along = torch.dot(gradient.flatten(), matrix.flatten()) / sigma
    return torch.addr(gradient, u * -along, v).div_(sigma)


class _Divided(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, u: Tensor, v: Tensor, kind: torch.dtype) -> Tensor:
        with torch.autocast(weight.device.type, enabled=False):
            divided, sigma = _divide(_matrix(weight.detach(), weight), u, _matrix(v, weight).flatten(), kind)
        ctx.save_for_backward(weight, sigma, u, v)
        return _shaped(divided, weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        weight, sigma, u, v = ctx.saved_tensors
        weight = weight.detach()
        matrix, gradient = _matrix(weight, weight), _matrix(gradient, weight)
        to_weight = _undivide(matrix, gradient, sigma, u, _matrix(v, weight).flatten())
        return _shaped(to_weight, weight), None, None, None


class _Multiplied(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, u: Tensor, v: Tensor, back: bool) -> Tensor:
        matrix, sigma = _lowered_and_sigma(weight, u, v)
        rows = lowered(rows)
        product = (rows @ (matrix if back else matrix.t())).div_(sigma)
        ctx.back = back
        ctx.save_for_backward(rows, matrix, product, sigma, u, v)
        return product

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, matrix, product, sigma, u, v = ctx.saved_tensors
        scaled = gradient / sigma
        to_rows = to_weight = None
        if ctx.needs_input_grad[0]:
            to_rows = scaled @ (matrix.t() if ctx.back else matrix)
        if ctx.needs_input_grad[1]:
            along = _dot(scaled, product)
            left, right = (rows, scaled) if ctx.back else (scaled, rows)
            to_weight = _to_weight([left], [right], along, u, v)
        return to_rows, to_weight, None, None, None


class _ToAndFro(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        rows: Tensor,
        others: Tensor,
        slope: Tensor,
        weight: Tensor,
        bias: Tensor,
        u: Tensor,
        v: Tensor,
        leak: float,
    ) -> tuple[Tensor, Tensor]:
        matrix, sigma = _lowered_and_sigma(weight, u, v)
        rows, count = lowered(rows), len(rows)
        product = (torch.cat((rows, lowered(others))) @ matrix.t()).div_(sigma)
        steepness = torch.where(product[count:] + bias > 0, 1.0, leak).to(matrix.dtype)
        masked = lowered(slope) * steepness
        received = (masked @ matrix).div_(sigma)
        product = product[:count]
        ctx.set_materialize_grads(False)  # a slope alone moves no bias
        ctx.save_for_backward(rows, matrix, product, steepness, masked, received, sigma, u, v)
        return product, received

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_product: Tensor | None, to_received: Tensor | None) -> tuple[Tensor | None, ...]:
        rows, matrix, product, steepness, masked, received, sigma, u, v = ctx.saved_tensors
        left, right, along = [], [], sigma.new_zeros(())
        to_rows = to_slope = None
        if to_product is not None:
            forth = to_product / sigma
            to_rows, along = forth @ matrix, along + _dot(forth, product)
            left, right = [forth], [rows]
        if to_received is not None:
            back = to_received / sigma
            to_slope = ((back @ matrix.t()) * steepness).sum(dim=0, keepdim=True)
            along = along + _dot(back, received)
            left, right = [*left, masked], [*right, back]
        return to_rows, None, to_slope, _to_weight(left, right, along, u, v), None, None, None, None


def _dot(first: Tensor, second: Tensor) -> Tensor:
    return torch.dot(first.flatten().float(), second.flatten().float())


def _to_weight(left: list[Tensor], right: list[Tensor], along: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """The gradient of a divided matrix from the rows on either side of it, in fp32.

    What the norm takes of it is one more row: a gradient is as large as its matrix, and to pass over it is what costs.
    """
    first = torch.cat([*left, (u * -along)[None].to(left[0].dtype)]).t()
    second = torch.cat([*right, v[None].to(right[0].dtype)])
    if first.device.type == "cuda" and first.dtype != torch.float32:
        return torch.mm(first, second, out_dtype=torch.float32)
    return (first @ second).float()
