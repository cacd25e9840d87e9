"""A chain of convolutions, each followed by a leaky ReLU, differentiated by hand.

Owns the forward, the adjoint and the tangent of such a chain. Must not know which network it belongs to, nor in which
form a convolution is handed to the processor.

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

from common.networks.acceleration import lowered
from common.networks.forms import Form


@dataclass(frozen=True)
class Link:
    """One convolution of a chain."""

    form: Form
    kernel: Tensor
    bias: Tensor


def run(links: Sequence[Link], images: Tensor, leak: float) -> Tensor:
    """The chain's last output, differentiable once."""
    images = laid_out(images)
    if torch.is_grad_enabled():
        return resume(links, images, outputs_of(links, images, leak), leak)
    for link in links:
        images = _output(link, images, leak)
    return images


def laid_out(images: Tensor) -> Tensor:
    """Images as a chain takes them: in the type that is asked for, their channels last.

    A single channel is last whatever its stride, but a GPU's library goes by strides and would move every picture.
    """
    images = lowered(images)
    if images.shape[1] == 1:
        return images.squeeze(1).contiguous().unsqueeze(3).permute(0, 3, 1, 2)
    return images.contiguous(memory_format=torch.channels_last)


def resume(links: Sequence[Link], images: Tensor, outputs: Sequence[Tensor], leak: float) -> Tensor:
    """The same where it is known already what every link puts out."""
    parameters = [tensor for link in links for tensor in (link.kernel, link.bias)]
    forms = tuple(link.form for link in links)
    result: Tensor = _Chain.apply(forms, leak, outputs, images, *parameters)  # type: ignore[no-untyped-call]
    return result


@torch.no_grad()
def outputs_of(links: Sequence[Link], images: Tensor, leak: float) -> list[Tensor]:
    """What every link puts out, after its leaky ReLU."""
    outputs = []
    for link in links:
        images = _output(link, images, leak)
        outputs.append(images)
    return outputs


def _output(link: Link, images: Tensor, leak: float) -> Tensor:
    return link.form.forward(images, link.kernel, link.bias, leak)


def mask_(gradient: Tensor, output: Tensor, leak: float) -> Tensor:
    """Take a gradient, or a tangent, through a leaky ReLU of which the output is known; overwrites it."""
    masked: Tensor = torch.ops.aten.leaky_relu_backward.grad_input(gradient, output, leak, True, grad_input=gradient)
    return masked


class _Chain(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        forms: tuple[Form, ...],
        leak: float,
        outputs: Sequence[Tensor],
        images: Tensor,
        *parameters: Tensor,
    ) -> Tensor:
        ctx.forms, ctx.leak = forms, leak
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*parameters[::2], images, *outputs)
        return outputs[-1].detach()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, received: Tensor | None) -> tuple[Any, ...]:
        if received is None:
            return (None,) * len(ctx.needs_input_grad)
        length = len(ctx.forms)
        kernels, images = ctx.saved_tensors[:length], ctx.saved_tensors[length:]
        wanted = ctx.needs_input_grad[3:]
        found: list[Tensor | None] = [None] * len(wanted)
        gradient = received.clone(memory_format=torch.channels_last)
        for index in reversed(range(length)):
            mask_(gradient, images[index + 1], ctx.leak)
            form, kernel, before = ctx.forms[index], kernels[index], images[index]
            place = 1 + 2 * index
            if any(wanted[place : place + 2]):
                found[place : place + 2] = form.to_weights(gradient, before, kernel)
            if not any(wanted[:place]):
                return None, None, None, *found
            gradient = form.to_images(gradient, before, kernel)
        found[0] = gradient
        return None, None, None, *found


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
            gradient = forms[index].to_images(gradient, images[index], kernels[index])
        ctx.forms, ctx.leak, ctx.length = forms, leak, len(forms)
        ctx.save_for_backward(*kernels, *images[1:], *reversed(gradients))
        return gradient

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, tangent: Tensor) -> tuple[Any, ...]:
        length = len(ctx.forms)
        kernels, outputs, gradients = (ctx.saved_tensors[start : start + length] for start in (0, length, 2 * length))
        found = []
        tangent = tangent.contiguous(memory_format=torch.channels_last)
        for form, kernel, output, gradient in zip(ctx.forms, kernels, outputs, gradients, strict=True):
            found.append(form.to_weights(gradient, tangent, kernel, biased=False)[0])
            tangent = mask_(form.forward(tangent, kernel, None), output, ctx.leak)
        return None, None, None, tangent, *found
