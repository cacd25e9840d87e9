"""Dense layers one after another, for vectors: the networks of the papers that know no spectrogram.

Owns layers, their first values (Glorot & Bengio 2010) and the slope of a network of one output, written out. Must not
know what a network is for. Several of one shape can lie in one stack: a matrix product then serves all of them.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional


class Dense(nn.Module):
    """One layer, or a stack of them."""

    def __init__(self, into: int, out: int, stream: torch.Generator, stack: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(*stack, out, into))
        self.bias = nn.Parameter(torch.zeros(*stack, out))
        if not self.weight.is_meta:
            bound = (6 / (into + out)) ** 0.5
            nn.init.uniform_(self.weight, -bound, bound, generator=stream)

    def forward(self, rows: Tensor) -> Tensor:
        """[.., batch, into] -> [.., batch, out]."""
        if self.weight.ndim == 2:
            return functional.linear(rows, self.weight, self.bias)
        # Weights stand first, so that their gradient lies in memory as they do. Else autograd copies it, transposed,
        # which takes longer than all products of a wide layer.
        return torch.baddbmm(self.bias[:, :, None], self.weight, rows.mT).mT


class Perceptron(nn.Module):
    """Layers with a (leaky) ReLU between them and nothing behind the last.

    Args:
        sizes: of the input, of each hidden layer, of the output.
        seed: of the first weights; biases begin at zero.
        leak: slope of the ReLU below zero.
        copies: how many networks are in the stack, each with rows of its own; None for one that is in none.
    """

    def __init__(self, sizes: Sequence[int], *, seed: int = 0, leak: float = 0.0, copies: int | None = None) -> None:
        super().__init__()
        self.leak = leak
        stack = () if copies is None else (copies,)
        stream = torch.Generator().manual_seed(seed)
        self.layers = nn.ModuleList(Dense(into, out, stream, stack) for into, out in pairwise(sizes))

    @property
    def dense(self) -> list[Dense]:
        """The layers, first to last."""
        return cast("list[Dense]", list(self.layers))

    def forward(self, rows: Tensor) -> Tensor:
        """[batch, inputs] -> [batch, outputs], or of a stack [copies, batch, inputs] -> [copies, batch, outputs]."""
        first, *others = self.dense
        outputs: Tensor = first(rows)
        for layer in others:
            outputs = layer(functional.leaky_relu(outputs, self.leak) if self.leak else functional.relu(outputs))
        return outputs.float()

    def slope(self, rows: Tensor) -> Tensor:
        """The gradient of the one output at each row, [.., batch, inputs]; differentiable by the weights.

        Between kinks the network is linear: its slope is a product of its weights under masks that stand still, so
        that one more backward suffices where autograd would have to differentiate twice.
        """
        *hidden, last = self.dense
        masks = []
        for layer in hidden:
            outputs = layer(rows)
            masks.append((outputs > 0).to(outputs.dtype) * (1 - self.leak) + self.leak)
            rows = outputs * masks[-1]
        back: Tensor = last.weight
        for layer, mask in zip(reversed(hidden), reversed(masks), strict=True):
            back = torch.matmul(back * mask, layer.weight)
        return back.float()
