"""Kernels rearranged so that the processor works less for the same sums.

Owns exact rewritings of a 3 x 3 convolution with a border of zeros, and the way back for a gradient of the rewritten
kernel. Must not know layers or networks. Each rewriting is a table of which tap goes where along rows and columns.
"""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

TAPS = 3


@cache  # on the device once: to bring it there in every step would make the processor wait
@torch.inference_mode(mode=False)  # whoever samples first must not keep the next from training
def _placed(table: Callable[..., Tensor], device: torch.device, kind: torch.dtype, *sizes: int) -> Tensor:
    return table(*sizes).to(device, kind)


def _table(table: Callable[..., Tensor], like: Tensor, *sizes: int) -> Tensor:
    """A table in the type of a kernel, where that lies."""
    return _placed(table, like.device, like.dtype, *sizes)


def _spread_table() -> Tensor:
    """[4, 3]: taps of the kernel that spreads one pixel over what nearest upsampling and three taps make of it."""
    return torch.tensor([[0.0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]])


def _parity_table() -> Tensor:
    """[2, 3, 3]: for the even and the odd output pixel, which of three source pixels each tap reads."""
    table = torch.zeros(2, TAPS, TAPS)
    for parity in range(2):
        for tap in range(TAPS):
            table[parity, (parity + tap - 1) // 2 + 1, tap] = 1
    return table


def _run_table(columns: int) -> Tensor:
    """[columns, columns, 3, 3]: which tap joins one column after and one before, in neighbouring runs of them."""
    table = torch.zeros(columns, columns, TAPS, TAPS)
    for after in range(columns):
        for tap in range(TAPS):
            block, before = divmod(after + tap - 1, columns)
            table[after, before, block + 1, tap] = 1
    return table


def _window_table(columns: int) -> Tensor:
    """[columns, columns + 2, 3]: the taps of each of several neighbouring outputs in the window that they share."""
    table = torch.zeros(columns, columns + TAPS - 1, TAPS)
    for column in range(columns):
        table[column, column : column + TAPS] = torch.eye(TAPS)
    return table


def spread(kernel: Tensor) -> Tensor:
    """Nearest upsampling and a convolution as one transposed convolution of kernel 4, stride 2 and padding 1.

    It multiplies each pixel 16 times where upsampling first would 36 times.
    """
    table = _table(_spread_table, kernel)
    return torch.einsum("oirc,ar,bc->ioab", kernel, table, table)


def from_spread(gradient: Tensor) -> Tensor:
    """Back from `spread`."""
    table = _table(_spread_table, gradient)
    return torch.einsum("ioab,ar,bc->oirc", gradient, table, table)


def by_parity(kernel: Tensor) -> Tensor:
    """Nearest upsampling and a convolution as one before it, its four outputs shuffled into pixels afterwards."""
    table = _table(_parity_table, kernel)
    return torch.einsum("oirc,pyr,qxc->opqiyx", kernel, table, table).flatten(0, 2)


def by_runs(kernel: Tensor, columns: int) -> Tensor:
    """The convolution of images of which runs of columns have become channels, before and after."""
    merged = torch.einsum("oirc,abxc->aobirx", kernel, _table(_run_table, kernel, columns))
    return merged.flatten(2, 3).flatten(0, 1)


def from_runs(gradient: Tensor, columns: int) -> Tensor:
    """Back from `by_runs`."""
    parted = gradient.unflatten(0, (columns, -1)).unflatten(2, (columns, -1))
    return torch.einsum("aobirx,abxc->oirc", parted, _table(_run_table, gradient, columns))


def by_windows(kernel: Tensor, columns: int) -> Tensor:
    """The convolution that puts out several neighbouring columns as channels, and moves on by as many."""
    return torch.einsum("oirc,axc->aoirx", kernel, _table(_window_table, kernel, columns)).flatten(0, 1)


def from_windows(gradient: Tensor, columns: int) -> Tensor:
    """Back from `by_windows`."""
    parted = gradient.unflatten(0, (columns, -1))
    return torch.einsum("aoirx,axc->oirc", parted, _table(_window_table, gradient, columns))


def by_halves(kernel: Tensor) -> Tensor:
    """A convolution of stride 2 over images of which pairs of columns have become channels: stride 2 in rows alone.

    The output column j reads the pairs j - 1 and j, so that there is one column of output too many, on the right.
    """
    outputs, inputs, rows, _ = kernel.shape
    pairs = torch.nn.functional.pad(kernel, (1, 0)).view(outputs, inputs, rows, 2, 2)
    return pairs.permute(0, 4, 1, 2, 3).flatten(1, 2)
