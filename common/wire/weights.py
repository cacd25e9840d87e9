"""Weights as bytes and back: number formats, views without copies, and the checks of their values.

Owns what a tensor looks like on the wire. Must not know which message carries it.
"""

import hashlib
import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.utils.dlpack import from_dlpack

from common.wire.codes import Code, WireError

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]


class Precision(StrEnum):
    """How many bits a weight has on the wire; fp32 comes back bit for bit.

    A release in int8 holds rows of that format and, in fp16, their scales: `common.weights` makes both.
    """

    label: str
    dtype: torch.dtype
    numpy: type[np.generic]

    def __new__(cls, word: str, label: str, dtype: torch.dtype, numpy: type[np.generic]) -> Self:
        """A word with the spellings of its number format."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.label = label  # as safetensors spells it
        member.dtype = dtype
        member.numpy = numpy  # which has no bf16: its bits travel as integers
        return member

    FP16 = "fp16", "F16", torch.float16, np.float16
    BF16 = "bf16", "BF16", torch.bfloat16, np.int16
    FP32 = "fp32", "F32", torch.float32, np.float32
    INT8 = "int8", "I8", torch.int8, np.int8

    @property
    def width(self) -> int:
        """Bytes of one weight."""
        return self.dtype.itemsize

    def size(self, shape: Shape) -> int:
        """Bytes of one tensor."""
        return math.prod(shape) * self.width


def to_bytes(name: str, tensor: Tensor, precision: Precision) -> memoryview:
    """The tensor's bytes in this precision: a view where it has that precision already, else a copy."""
    cast = tensor.detach().to("cpu", precision.dtype).contiguous()
    if not is_finite(cast):
        raise WireError(Code.OVERFLOW if is_finite(tensor) else Code.NOT_FINITE, where=name)
    bits = cast.view(torch.int16) if precision is Precision.BF16 else cast
    return bits.numpy().reshape(-1).view(np.uint8).data


def from_bytes(data: memoryview, start: int, shape: Shape, precision: Precision) -> Tensor:
    """A tensor that shares the message's memory: read it, copy it into a network, never write to it."""
    count = math.prod(shape)
    array = np.frombuffer(data, dtype=precision.numpy, count=count, offset=start)
    flat = from_dlpack(array.copy() if start % precision.width else array)  # after bytes others stand unaligned
    return flat.view(precision.dtype).reshape(shape)


def is_finite(tensor: Tensor) -> bool:
    """Whether every weight is a number."""
    return math.isfinite(_largest(tensor))


def check_values(name: str, tensor: Tensor, limit: float) -> None:
    """Refuse what is not finite, or farther from zero than the limit.

    The limit is on single weights: one that every precision of floats can spell is kept by rounding, as a norm's would
    not be.
    """
    largest = _largest(tensor)
    if not math.isfinite(largest):
        raise WireError(Code.NOT_FINITE, where=name)
    if largest > limit:
        raise WireError(Code.ABSURD_NORM, where=name)


def weights_digest(weights: Mapping[str, Mapping[str, Tensor]]) -> str:
    """SHA-256 over the names, shapes and exact fp32 values of groups of weights, however they are ordered."""
    digest = hashlib.sha256()
    for name, tensor in sorted(flatten(weights).items()):
        digest.update(f"{name}{list(tensor.shape)}\n".encode())
        digest.update(to_bytes(name, tensor, Precision.FP32))
    return digest.hexdigest()


def flatten(weights: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Groups of weights under the names that they travel by.

    >>> list(flatten({"generator": {"linears.0.bias": torch.zeros(1)}}))
    ['generator.linears.0.bias']
    """
    return {f"{group}.{name}": tensor for group, members in weights.items() for name, tensor in members.items()}


def _largest(tensor: Tensor) -> float:
    """The largest distance from zero, in one pass without a copy: a NaN anywhere becomes both extremes."""
    low, high = torch.aminmax(tensor.detach())
    return max(-float(low), float(high))
