"""The forms in which a convolution is handed to the processor.

Owns which form suits which sizes, and the three products of each: forward, gradient of the images, gradient of the
weights. Must not know layers. Every form is exact; they differ in how well a processor's vectors, sixteen numbers wide,
are filled by few channels. Images lie channels last, so that neighbouring columns can be taken for channels, or
channels for columns, without moving a number.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from common.networks.acceleration import has_bf16
from common.networks.arrangement import (
    by_halves,
    by_runs,
    by_windows,
    from_runs,
    from_spread,
    from_windows,
    spread,
)
from common.networks.fusion import activation

Gradients = tuple[Tensor, Tensor | None]
"""With respect to a kernel and, where it is asked for, to its bias."""
LANES = 16
"""Numbers in a vector of the processor."""
MOST_COLUMNS = 8
"""Of an output that come from one window: the wider a window, the less of it each column reads."""
ENOUGH = 64
"""Channels from which on the processor does well with a convolution as it is."""


class Form:
    """A 3 x 3 convolution as it is."""

    def __init__(self, stride: int = 1) -> None:
        self.stride = [stride, stride]

    def forward(self, images: Tensor, kernel: Tensor, bias: Tensor | None, leak: float | None = None) -> Tensor:
        """Images to images, through a leaky ReLU if a leak is named."""
        return forward(images, kernel, bias, self.stride, leak)

    def to_images(self, gradient: Tensor, images: Tensor, kernel: Tensor) -> Tensor:
        """The gradient with respect to the images, of which only the shape counts."""
        return to_images(gradient, images, kernel, self.stride)

    def to_weights(self, gradient: Tensor, images: Tensor, kernel: Tensor, *, biased: bool = True) -> Gradients:
        """The gradients with respect to kernel and bias."""
        return to_weights(gradient, images, kernel, self.stride, biased)


class Upsampled(Form):
    """Nearest upsampling and a convolution, merged into one transposed convolution."""

    def forward(self, images: Tensor, kernel: Tensor, bias: Tensor | None, leak: float | None = None) -> Tensor:
        """Images to images, through a leaky ReLU if a leak is named."""
        return forward(images, spread(kernel), bias, [2, 2], leak, transposed=True)

    def to_images(self, gradient: Tensor, images: Tensor, kernel: Tensor) -> Tensor:
        """The gradient with respect to the images."""
        return to_images(gradient, images, spread(kernel), [2, 2], transposed=True)

    def to_weights(self, gradient: Tensor, images: Tensor, kernel: Tensor, *, biased: bool = True) -> Gradients:
        """The gradients with respect to kernel and bias."""
        to_kernel, to_bias = to_weights(gradient, images, spread(kernel), [2, 2], biased, transposed=True)
        return from_spread(to_kernel), to_bias


class Halved(Form):
    """Stride 2 and few channels: on the way back pairs of columns come out as channels."""

    def __init__(self) -> None:
        super().__init__(stride=2)

    def to_images(self, gradient: Tensor, images: Tensor, kernel: Tensor) -> Tensor:
        """The gradient with respect to the images."""
        gradient = functional.pad(gradient, (0, 1))
        return unfold(to_images(gradient, fold(images, 2), by_halves(kernel), [2, 1]), 2)


class Few(Form):
    """Few channels: each run of columns comes out as channels, so that they fill a vector."""

    def forward(self, images: Tensor, kernel: Tensor, bias: Tensor | None, leak: float | None = None) -> Tensor:
        """Images to images, through a leaky ReLU if a leak is named."""
        return _in_windows(images, kernel, bias, leak)

    def to_images(self, gradient: Tensor, images: Tensor, kernel: Tensor) -> Tensor:
        """The gradient with respect to the images: a convolution with the kernel turned round."""
        return _in_windows(gradient, kernel.flip(2, 3).transpose(0, 1), None, None)

    def to_weights(self, gradient: Tensor, images: Tensor, kernel: Tensor, *, biased: bool = True) -> Gradients:
        """The gradients with respect to kernel and bias."""
        columns = _columns_for(kernel)
        windows = by_windows(kernel, columns)
        to_kernel, to_bias = to_weights(fold(gradient, columns), images, windows, [1, columns], biased)
        return from_windows(to_kernel, columns), _over_columns(to_bias, columns)


class Folded(Form):
    """One channel, of which runs of columns are made many: for one channel libraries have only slow code."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.columns = columns

    def forward(self, images: Tensor, kernel: Tensor, bias: Tensor | None, leak: float | None = None) -> Tensor:
        """Images to images, through a leaky ReLU if a leak is named."""
        bias = None if bias is None else bias.repeat(self.columns)
        runs = forward(fold(images, self.columns), by_runs(kernel, self.columns), bias, self.stride, leak)
        return unfold(runs, self.columns)

    def to_images(self, gradient: Tensor, images: Tensor, kernel: Tensor) -> Tensor:
        """The gradient with respect to the images."""
        gradient, images = fold(gradient, self.columns), fold(images, self.columns)
        return unfold(to_images(gradient, images, by_runs(kernel, self.columns), self.stride), self.columns)

    def to_weights(self, gradient: Tensor, images: Tensor, kernel: Tensor, *, biased: bool = True) -> Gradients:
        """The gradients with respect to kernel and bias."""
        gradient, images = fold(gradient, self.columns), fold(images, self.columns)
        to_kernel, to_bias = to_weights(gradient, images, by_runs(kernel, self.columns), self.stride, biased)
        return from_runs(to_kernel, self.columns), _over_columns(to_bias, self.columns)


class Single(Folded):
    """One channel on a processor: pairs of columns, and the way back as with few channels."""

    def __init__(self) -> None:
        super().__init__(columns=2)

    def to_images(self, gradient: Tensor, images: Tensor, kernel: Tensor) -> Tensor:
        """The gradient with respect to the images."""
        return Few().to_images(gradient, images, kernel)


def _over_columns(to_bias: Tensor | None, columns: int) -> Tensor | None:
    return None if to_bias is None else to_bias.view(columns, -1).sum(0)


def _columns_for(kernel: Tensor) -> int:
    """How many columns of its output best fill a vector: a power of two, which divides every image's width."""
    columns: int = 1 << (LANES // min(len(kernel), LANES)).bit_length() - 1
    return min(columns, MOST_COLUMNS)


def _in_windows(images: Tensor, kernel: Tensor, bias: Tensor | None, leak: float | None) -> Tensor:
    columns = _columns_for(kernel)
    bias = None if bias is None else bias.repeat(columns)
    return unfold(forward(images, by_windows(kernel, columns), bias, [1, columns], leak), columns)


def form_for(inputs: int, outputs: int, stride: int, *, upsampled: bool, vectors: bool) -> Form:
    """The form that does these sizes fastest; `vectors` says whether a processor of vectors does them."""
    if upsampled:
        return Upsampled()
    if not vectors:
        return Folded(MOST_COLUMNS) if inputs == 1 and stride == 1 else Form(stride)
    if stride == 2:
        return Halved() if inputs < ENOUGH else Form(stride)
    if inputs == 1:
        return Single()
    return Few() if min(inputs, outputs) < LANES else Form()


def fold(images: Tensor, columns: int) -> Tensor:
    """Each run of columns becomes channels; a view where the channels lie last in memory."""
    batch, channels, height, width = images.shape
    rows = images.permute(0, 2, 3, 1).reshape(batch, height, width // columns, columns * channels)
    return rows.permute(0, 3, 1, 2)


def unfold(images: Tensor, columns: int) -> Tensor:
    """The inverse of `fold`."""
    batch, channels, height, width = images.shape
    rows = images.permute(0, 2, 3, 1).reshape(batch, height, width * columns, channels // columns)
    return rows.permute(0, 3, 1, 2)


def forward(
    images: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    leak: float | None,
    *,
    transposed: bool = False,
) -> Tensor:
    """The processor's own convolution, with a border of one zero, and the leaky ReLU that follows if there is one."""
    if leak is not None and not transposed and _fuses(images):
        # One pass over memory instead of two.
        fused: Tensor = torch.ops.mkldnn._convolution_pointwise(
            images, kernel, bias, [1, 1], stride, [1, 1], 1, "leaky_relu", [leak], ""
        )
        return fused
    if leak is not None and bias is not None and images.device.type == "cuda":
        result = torch.convolution(images, kernel, None, stride, [1, 1], [1, 1], transposed, [0, 0], 1)
        batch, channels, height, width = result.shape
        rows: Tensor = activation(leak)(_pixels(result), bias)
        return rows.view(batch, height, width, channels).permute(0, 3, 1, 2)
    result = torch.convolution(images, kernel, bias, stride, [1, 1], [1, 1], transposed, [0, 0], 1)
    return result if leak is None else functional.leaky_relu_(result, leak)


def _pixels(images: Tensor) -> Tensor:
    """[pixels, channels]; a view where the channels lie last in memory."""
    return images.permute(0, 2, 3, 1).reshape(-1, images.shape[1])


def _fuses(images: Tensor) -> bool:
    if images.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    # What is emulated has no such pass.
    return images.dtype == torch.float32 or (images.dtype == torch.bfloat16 and has_bf16(images.device))


def to_images(
    gradient: Tensor, images: Tensor, kernel: Tensor, stride: Sequence[int], *, transposed: bool = False
) -> Tensor:
    """The gradient of `forward` with respect to images."""
    result: Tensor = _backward(gradient, images, kernel, stride, transposed, [True, False, False])[0]
    return result


def to_weights(
    gradient: Tensor,
    images: Tensor,
    kernel: Tensor,
    stride: Sequence[int],
    biased: bool,
    *,
    transposed: bool = False,
) -> Gradients:
    """The gradients of `forward` with respect to kernel and bias."""
    if not biased or gradient.device.type == "cpu":
        _, to_kernel, to_bias = _backward(gradient, images, kernel, stride, transposed, [False, True, biased])
        return to_kernel, to_bias
    _, to_kernel, _ = _backward(gradient, images, kernel, stride, transposed, [False, True, False])
    pixels = _pixels(gradient)
    return to_kernel, torch.mv(pixels.t(), pixels.new_ones(len(pixels)))  # a GPU sums over pixels slower itself


def _backward(
    gradient: Tensor, images: Tensor, kernel: Tensor, stride: Sequence[int], transposed: bool, needed: Sequence[bool]
) -> tuple[Any, Any, Any]:
    result: tuple[Any, Any, Any] = torch.ops.aten.convolution_backward(
        gradient, images, kernel, [gradient.shape[1]], stride, [1, 1], [1, 1], transposed, [0, 0], 1, needed
    )
    return result
