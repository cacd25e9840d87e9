"""Linear and convolutional layers whose weight is divided by its spectral norm.

Owns one layer's parameters, first values and arithmetic. Must not know how layers are put together.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from common.networks.spectral import SpectralNorm


class Layer(nn.Module):
    """A weight, a bias and, when normalized, the weight's spectral norm."""

    def __init__(self, shape: tuple[int, ...], stream: torch.Generator, *, normalized: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape))
        self.bias = nn.Parameter(torch.zeros(shape[0]))
        if not self.weight.is_meta:
            bound = 1 / math.sqrt(math.prod(shape[1:]))
            nn.init.uniform_(self.weight, -bound, bound, generator=stream)
        self.norm = SpectralNorm(self.weight.detach(), stream) if normalized else None

    def normed_weight(self) -> Tensor:
        """The weight that the layer applies: divided by its norm, or as it is when the norm is folded in."""
        return self.weight if self.norm is None else self.weight / self.norm.sigma(self.weight)

    def advance_norm(self) -> None:
        """Let the norm follow the weight by one power iteration."""
        if self.norm is not None:
            self.norm.advance(self.weight)


class Linear(Layer):
    """A matrix; its output is scaled rather than the matrix, which is the larger of the two at full width."""

    def __init__(self, inputs: int, outputs: int, stream: torch.Generator, *, normalized: bool = True) -> None:
        super().__init__((outputs, inputs), stream, normalized=normalized)

    def forward(self, rows: Tensor) -> Tensor:
        """[batch, inputs] -> [batch, outputs]."""
        if self.norm is None:
            return functional.linear(rows, self.weight, self.bias)
        return functional.linear(rows, self.weight) / self.norm.sigma(self.weight) + self.bias


class Convolution(Layer):
    """A 3 x 3 convolution with a border of zeros."""

    def __init__(
        self, inputs: int, outputs: int, stream: torch.Generator, *, stride: int = 1, normalized: bool = True
    ) -> None:
        super().__init__((outputs, inputs, 3, 3), stream, normalized=normalized)
        self.stride = stride

    def forward(self, images: Tensor) -> Tensor:
        """[batch, inputs, height, width] -> [batch, outputs, height / stride, width / stride]."""
        return functional.conv2d(images, self.normed_weight(), self.bias, stride=self.stride, padding=1)
