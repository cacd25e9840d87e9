"""A chain of convolutions, each followed by a leaky ReLU, differentiated by hand.

Owns the forward, the adjoint and the tangent of such a chain. Must not know which network it belongs to, nor how a
kernel came about.

By hand because of what autograd cannot know: a leaky ReLU keeps the sign, so its output alone says how to
differentiate it and its input can be overwritten; a gradient that only this chain has seen can be overwritten too;
and the masks are constant almost everywhere, so that a gradient penalty needs no second differentiation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional


@dataclass(frozen=True)
class Form:
    """The shape in which a convolution is handed to the processor.

    Args:
        stride: of rows and columns; of the output where transposed.
        transposed: whether the kernel spreads each input pixel instead of gathering each output pixel.
        folded: how many neighbouring columns are treated as channels.
    """

    stride: int = 1
    transposed: bool = False
    folded: int = 1

    def forward(self, images: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
        """Images to images."""
        return unfold(torch.convolution(fold(images, self.folded), kernel, bias, **self._geometry()), self.folded)

    def backward(self, gradient: Tensor, images: Tensor, kernel: Tensor, needed: Sequence[bool]) -> list[Any]:
        """Gradients with respect to images, kernel and bias; None for one that is not needed."""
        to_images, to_kernel, to_bias = torch.ops.aten.convolution_backward(
            fold(gradient, self.folded),
            fold(images, self.folded),
            kernel,
            bias_sizes=[gradient.shape[1] * self.folded],
            **self._geometry(),
            output_mask=needed,
        )
        return [unfold(to_images, self.folded) if needed[0] else None, to_kernel, to_bias]

    def _geometry(self) -> dict[str, Any]:
        around = {"padding": [1, 1], "dilation": [1, 1], "output_padding": [0, 0], "groups": 1}
        return around | {"stride": [self.stride] * 2, "transposed": self.transposed}


def fold(images: Tensor, columns: int) -> Tensor:
    """Each run of columns becomes channels; a view where the channels lie last in memory."""
    if columns == 1:
        return images
    batch, channels, height, width = images.shape
    rows = images.permute(0, 2, 3, 1).reshape(batch, height, width // columns, columns * channels)
    return rows.permute(0, 3, 1, 2)


def unfold(images: Tensor, columns: int) -> Tensor:
    """The inverse of `fold`."""
    if columns == 1:
        return images
    batch, channels, height, width = images.shape
    rows = images.permute(0, 2, 3, 1).reshape(batch, height, width * columns, channels // columns)
    return rows.permute(0, 3, 1, 2)


@dataclass(frozen=True)
class Link:
    """One convolution of a chain."""

    form: Form
    kernel: Tensor
    bias: Tensor


def run(links: Sequence[Link], images: Tensor, leak: float) -> Tensor:
    """The chain's last output, differentiable once."""
    images = images.contiguous(memory_format=torch.channels_last)
    if torch.is_grad_enabled():
        parameters = [tensor for link in links for tensor in (link.kernel, link.bias)]
        forms = tuple(link.form for link in links)
        result: Tensor = _Chain.apply(forms, leak, images, *parameters)  # type: ignore[no-untyped-call]
        return result
    for link in links:
        images = functional.leaky_relu_(link.form.forward(images, link.kernel, link.bias), leak)
    return images


def outputs_of(links: Sequence[Link], images: Tensor, leak: float) -> list[Tensor]:
    """What every link puts out, after its leaky ReLU."""
    outputs = []
    for link in links:
        images = functional.leaky_relu_(link.form.forward(images, link.kernel, link.bias), leak)
        outputs.append(images)
    return outputs


def mask_(gradient: Tensor, output: Tensor, leak: float) -> Tensor:
    """Take a gradient, or a tangent, through a leaky ReLU of which the output is known; overwrites it."""
    masked: Tensor = torch.ops.aten.leaky_relu_backward.grad_input(gradient, output, leak, True, grad_input=gradient)
    return masked


class _Chain(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, forms: tuple[Form, ...], leak: float, images: Tensor, *parameters: Tensor) -> Tensor:
        links = [Link(*parts) for parts in zip(forms, parameters[::2], parameters[1::2], strict=True)]
        outputs = outputs_of(links, images, leak)
        ctx.forms, ctx.leak = forms, leak
        ctx.save_for_backward(*parameters[::2], images, *outputs)
        return outputs[-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, received: Tensor) -> tuple[Any, ...]:
        length = len(ctx.forms)
        kernels, images = ctx.saved_tensors[:length], ctx.saved_tensors[length:]
        wanted = ctx.needs_input_grad[2:]
        found: list[Tensor | None] = [None] * len(wanted)
        gradient = received.clone(memory_format=torch.channels_last)
        for index in reversed(range(length)):
            mask_(gradient, images[index + 1], ctx.leak)
            place = 1 + 2 * index
            goes_on = any(wanted[:place])
            needed = [goes_on, *wanted[place : place + 2]]
            earlier, *found[place : place + 2] = ctx.forms[index].backward(
                gradient, images[index], kernels[index], needed
            )
            if not goes_on:
                return None, None, *found
            gradient = earlier
        found[0] = gradient
        return None, None, *found


def adjoint(links: Sequence[Link], outputs: Sequence[Tensor], images: Tensor, received: Tensor, leak: float) -> Tensor:
    """The gradient with respect to images of the chain that put out `outputs`, when its end receives `received`.

    Differentiable once, by the kernels and by what is received, for as long as no output changes its sign.
    """
    forms, kernels = tuple(link.form for link in links), [link.kernel for link in links]
    result: Tensor = _Adjoint.apply(forms, leak, [images, *outputs], received, *kernels)  # type: ignore[no-untyped-call]
    return result


class _Adjoint(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, forms: tuple[Form, ...], leak: float, images: list[Tensor], received: Tensor, *kernels: Tensor
    ) -> Tensor:
        gradient = received.clone(memory_format=torch.channels_last)
        gradients = []
        for index in reversed(range(len(forms))):
            gradients.append(mask_(gradient, images[index + 1], leak))
            gradient, _, _ = forms[index].backward(gradient, images[index], kernels[index], [True, False, False])
        ctx.forms, ctx.leak, ctx.length = forms, leak, len(forms)
        ctx.save_for_backward(*kernels, *images[1:], *reversed(gradients))
        return gradient

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, tangent: Tensor) -> tuple[Any, ...]:
        length = len(ctx.forms)
        saved = ctx.saved_tensors
        found = []
        tangent = tangent.contiguous(memory_format=torch.channels_last)
        for form, kernel, output, gradient in zip(
            ctx.forms, saved[:length], saved[length : 2 * length], saved[2 * length :], strict=True
        ):
            found.append(form.backward(gradient, tangent, kernel, [False, True, False])[1])
            tangent = mask_(form.forward(tangent, kernel, None), output, ctx.leak)
        return None, None, None, tangent, *found
