"""Linear and convolutional layers whose weight is divided by its spectral norm.

Owns one layer's parameters, first values and arithmetic. Must not know how layers are put together.
"""

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from common.networks.acceleration import lowered
from common.networks.arrangement import by_parity
from common.networks.chain import Link
from common.networks.forms import form_for
from common.networks.spectral import SpectralNorm, advance
from common.seeds import torch_stream

AnyModule = TypeVar("AnyModule", bound=nn.Module)
DERIVED = (".norm.u", ".norm.v")
"""How the names of a norm's vectors end."""


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


def advance_norms(network: nn.Module) -> None:
    """Let every norm in a network follow its weight by one power iteration."""
    layers = [layer for layer in network.modules() if isinstance(layer, Layer)]
    followed = [(layer.norm, layer.weight) for layer in layers if layer.norm is not None]
    if not followed:  # a network of another make
        return
    advance([norm for norm, _ in followed], [weight for _, weight in followed])


def converge_norms(network: nn.Module) -> None:
    """Estimate every norm afresh, for weights that did not come from a training step."""
    for layer in network.modules():
        if isinstance(layer, Layer) and layer.norm is not None:
            layer.norm.converge(layer.weight)


def learned_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a state that training made; the vectors of the norms follow from them and are left out."""
    return {name: value for name, value in state.items() if not name.endswith(DERIVED)}


def load_learned(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Give a network the weights that training made, and find the vectors of its norms here.

    Whoever chose those vectors would choose what every layer is divided by.
    """
    own = network.state_dict()
    network.load_state_dict({**own, **learned_weights(weights)})
    converge_norms(network)


def norms_of(network: nn.Module) -> dict[str, Tensor]:
    """The vectors of all norms, which follow from the weights."""
    return {name: value for name, value in network.state_dict().items() if name.endswith(DERIVED)}


def network_to_hear(
    make: Callable[[], AnyModule], weights: Mapping[str, Tensor], norms: Mapping[str, Tensor] | None = None
) -> AnyModule:
    """A network that `make` makes, with the weights that training made, to be tried and not trained.

    No first weights are drawn, and the norms of none are sought: at full width both take longer than all that follows.
    `norms` are those of these weights, where they were found before by somebody whom the caller believes; others that
    come with the weights are not looked at.
    """
    with torch.device("meta"):
        network = make()
    given = {name: value.float() for name, value in learned_weights(weights).items()}
    found = network.load_state_dict(given, strict=False, assign=True)
    missing = [name for name in found.missing_keys if not name.endswith(DERIVED)]
    if missing or found.unexpected_keys:
        raise KeyError(f"weights of another network: {', '.join([*missing, *found.unexpected_keys])}")
    wanted = norms_of(network)
    if norms and {name: value.shape for name, value in norms.items()} == {n: v.shape for n, v in wanted.items()}:
        network.load_state_dict({name: value.float() for name, value in norms.items()}, strict=False, assign=True)
        return network
    stream = torch_stream(0, "norms")
    for norm in (module for module in network.modules() if isinstance(module, SpectralNorm)):
        norm.u = torch.randn(norm.u.shape, generator=stream)
        norm.v = torch.empty(norm.v.shape)
    converge_norms(network)
    return network


class Linear(Layer):
    """A matrix; its output is scaled rather than the matrix, which is the larger of the two at full width."""

    def __init__(self, inputs: int, outputs: int, stream: torch.Generator, *, normalized: bool = True) -> None:
        super().__init__((outputs, inputs), stream, normalized=normalized)

    def forward(self, rows: Tensor) -> Tensor:
        """[batch, inputs] -> [batch, outputs]."""
        if self.norm is None:
            return functional.linear(rows, self.weight, self.bias)
        return functional.linear(rows, self.weight) / self.norm.sigma(self.weight) + self.bias

    def swiftly(self, rows: Tensor) -> Tensor:
        """The same, differentiable once."""
        if self.norm is None:
            return functional.linear(rows, self.weight, self.bias)
        return self.norm.multiply(rows, self.weight) + self.bias

    def adjoint(self, gradients: Tensor) -> Tensor:
        """[batch, outputs] -> [batch, inputs]: a gradient taken back through the layer; differentiable once."""
        return gradients @ self.weight if self.norm is None else self.norm.multiply(gradients, self.weight, back=True)

    def to_and_fro(self, rows: Tensor, others: Tensor, slope: Tensor, leak: float) -> tuple[Tensor, Tensor]:
        """What the layer makes of rows; and a slope [1, outputs] taken back to its inputs where it shows it others.

        The slope goes through the leaky ReLU that follows, which is steep or flat by what the layer makes of each
        other row. The matrix is read once for both; differentiable once.
        """
        assert self.norm is not None, "a released layer is not trained"  # noqa: S101 - for mypy
        product, received = self.norm.to_and_fro(rows, others, slope, self.weight, self.bias, leak)
        return product + self.bias, received


class Convolution(Layer):
    """A 3 x 3 convolution with a border of zeros.

    Args:
        inputs: channels.
        outputs: channels.
        stream: of the first weights.
        stride: 2 halves the image.
        upsampled: whether nearest-neighbour upsampling by two comes first.
        normalized: False where the norm is folded into the weight.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        stream: torch.Generator,
        *,
        stride: int = 1,
        upsampled: bool = False,
        normalized: bool = True,
    ) -> None:
        super().__init__((outputs, inputs, 3, 3), stream, normalized=normalized)
        self.stride = stride
        self.upsampled = upsampled

    def forward(self, images: Tensor) -> Tensor:
        """The layer as the paper's Table 1 has it: the plain version, differentiable any number of times."""
        if self.upsampled:
            images = functional.interpolate(images, scale_factor=2.0, mode="nearest")
        return functional.conv2d(images, self.normed_weight(), self.bias, stride=self.stride, padding=1)

    def link(self) -> Link:
        """The same layer as a chain runs it."""
        weight = lowered(self.weight) if self.norm is None else self.norm.divide(self.weight)
        outputs, inputs = weight.shape[:2]
        vectors = weight.device.type == "cpu"
        form = form_for(inputs, outputs, self.stride, upsampled=self.upsampled, vectors=vectors)
        return Link(form, weight, lowered(self.bias))

    def to_pixels(self, images: Tensor) -> Tensor:
        """The same layer where it upsamples to a few channels: all is computed before the upsampling."""
        shuffled = functional.conv2d(images, by_parity(self.normed_weight()), self.bias.repeat_interleave(4), padding=1)
        return functional.pixel_shuffle(shuffled, 2)
