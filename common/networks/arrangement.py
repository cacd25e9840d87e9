"""Kernels rearranged so that the processor works less for the same sums.

Owns three exact rewritings of a 3 x 3 convolution with a border of zeros. Must not know layers or networks. Each is a
linear map of the kernel, written as constant tables of which tap goes where, so that autograd can go back through it.
"""

from functools import cache

import torch
from torch import Tensor

TAPS = 3


@cache
@torch.inference_mode(mode=False)  # whoever samples first must not keep the next from training
def _spread_taps() -> Tensor:
    """[4, 3]: taps of the kernel that spreads one pixel over what nearest upsampling and three taps make of it."""
    return torch.tensor([[0.0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]])


@cache
@torch.inference_mode(mode=False)
def _parity_taps() -> Tensor:
    """[2, 3, 3]: for the even and the odd output pixel, which of three source pixels each tap reads."""
    table = torch.zeros(2, TAPS, TAPS)
    for parity in range(2):
        for tap in range(TAPS):
            table[parity, (parity + tap - 1) // 2 + 1, tap] = 1
    return table


@cache
@torch.inference_mode(mode=False)
def _folded_taps(columns: int) -> Tensor:
    """[columns out, columns in, 3 blocks, 3 taps]: which tap joins two columns of neighbouring blocks."""
    table = torch.zeros(columns, columns, TAPS, TAPS)
    for after in range(columns):
        for tap in range(TAPS):
            block, before = divmod(after + tap - 1, columns)
            table[after, before, block + 1, tap] = 1
    return table


def spread(kernel: Tensor) -> Tensor:
    """Nearest upsampling and a convolution as one transposed convolution of kernel 4, stride 2 and padding 1.

    It multiplies each pixel 16 times where upsampling first would 36 times.
    """
    taps = _spread_taps().to(kernel)
    return torch.einsum("oirc,ar,bc->ioab", kernel, taps, taps)


def by_parity(kernel: Tensor) -> Tensor:
    """Nearest upsampling and a convolution as one before it, its four outputs shuffled into pixels afterwards."""
    taps = _parity_taps().to(kernel)
    merged = torch.einsum("oirc,pyr,qxc->opqiyx", kernel, taps, taps)
    return merged.flatten(0, 2)


def by_columns(kernel: Tensor, columns: int) -> Tensor:
    """The convolution of images of which `columns` neighbouring columns have become channels."""
    merged = torch.einsum("oirc,abxc->aobirx", kernel, _folded_taps(columns).to(kernel))
    return merged.flatten(2, 3).flatten(0, 1)
