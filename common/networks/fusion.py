"""Small operations on large pictures, made one by a compiler where there is one.

Owns which pictures are worth compiling for, and that all goes on where it fails. Must not know a layer. A GPU reads
and writes a picture for every operation on it; the operation itself costs nothing beside that.
"""

import logging
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

MANY, WIDE = 2**16, 64
"""Numbers in a matrix, and columns, from which on the seconds of compiling are won back: at the paper's width."""
MILLION = 2**20
COMPILED_FOR = "cuda"
"""The kind of device on which a pass over a picture costs more than what it computes."""
Function = Callable[..., Any]


def fused(numbers: int) -> Callable[[Function], Function]:
    """A function of matrices as it is; where the first is wide and has so many numbers, on a GPU, compiled.

    Nothing else may decide what it computes; it is compiled once, at its first such call.
    """

    def ready(function: Function) -> Function:
        ways: dict[bool, Function] = {False: function}

        @wraps(function)
        def call(first: Tensor, *others: Any) -> Any:
            large = first.device.type == COMPILED_FOR and first.shape[1] >= WIDE and first.numel() >= numbers
            if large and True not in ways:
                ways[True] = _compiled(function, first, *others)
            return ways[large](first, *others)

        return call

    return ready


def _compiled(function: Function, *arguments: Any) -> Function:
    """Compiled for any sizes, if that works on this machine."""
    try:
        swift: Function = torch.compile(function, dynamic=True)
        swift(*arguments)
    except Exception as error:  # a compiler that is not there is no reason not to train
        logging.getLogger(__name__).warning("not compiled, so slower: %s", error)
        return function
    return swift


@cache
def activation(leak: float) -> Function:
    """Pictures as rows of channels [pixels, channels] and a bias to what a leaky ReLU makes of their sum."""

    @fused(MILLION)
    def activate(rows: Tensor, bias: Tensor) -> Tensor:
        return functional.leaky_relu(rows + bias, leak)

    return activate
