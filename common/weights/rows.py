"""Numbers in 8 bits, row by row, each row with a scale of its own.

Owns the rounding. Must not know what the numbers are.

Rounding is by chance: up or down, so that the expected value is the number itself. What is rounded to the nearest would
let its low bits be chosen by whoever made the numbers.
"""

import torch
from torch import Tensor

LARGEST = 127
SMALLEST_SCALE = 2.0**-24
"""The smallest number that fp16 can spell."""


def rounded(matrix: Tensor, stream: torch.Generator) -> tuple[Tensor, Tensor]:
    """[rows, columns] -> the same in int8, and a scale a row [rows] in fp16."""
    most = matrix.double().abs().amax(dim=1)
    scales = (most / LARGEST).half()
    short = scales.double() * LARGEST < most  # rounded down, a row's largest number would not fit
    scales = torch.where(short, torch.nextafter(scales, torch.full_like(scales, torch.inf)), scales)
    scales = scales.clamp_min(SMALLEST_SCALE)
    chance = torch.rand(matrix.shape, generator=stream, dtype=torch.float64)
    steps = (matrix.double() / scales.double()[:, None] + chance).floor()
    return steps.clamp(-LARGEST, LARGEST).to(torch.int8), scales


def unrounded(rows: Tensor, scales: Tensor) -> Tensor:
    """The numbers again, as far as 8 bits keep them."""
    return rows.float() * scales.float()[:, None]
