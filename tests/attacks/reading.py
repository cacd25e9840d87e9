"""The reading attack: a server takes a real patch of speech out of the weights of one tuning.

Owns the hostile networks, the hostile settings and the solver. Must not know any site: it is given a release and
nothing else, and its figures are made by `figures`.

How it works. Adam moves a weight by rate * g / (|g| + epsilon). Where a gradient g is far smaller than epsilon, the
step is proportional to g, so the weights after ONE step hand over the gradient itself. The server makes networks where
1. the discriminator copies a patch, scaled down to almost nothing, into the inputs of its `hidden` layer, whose
   weights are zero: after its own step they are a multiple of the real patch;
2. the generator makes one constant picture, so what its pixels are pulled towards is that multiple of the real patch;
3. the generator takes this gradient at its pixels back to `linears.1` through a linear map without a null space;
   `linears.1` starts at zero, so its change, divided by its rate, is the gradient, and it leaves with the release.
The solver divides the norm out, undoes Adam, takes the rank-one gradient apart and inverts the map. It needs no seed,
no latent and no label. Norms are honest ones: nothing hangs on vectors that the server ships.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from common.networks import Discriminator, Generator
from common.networks.layers import Convolution, Linear
from common.settings import FinetuningConfig, NetworkConfig, OptimizerConfig
from common.training.adam import EPSILON
from common.training.stages import Pair
from common.wire import Extremes

BRIGHT, DIM = Extremes(low=-42.0, high=8.0), Extremes(low=-30.0, high=-3.0)
"""All speech lies above zero in these scalings (its floor, log 1e-7, is -16.1), so leaky ReLUs never bend it.

The second is within the default bounds; it loses what is loud.
"""
POSITIVE = 0.02
"""The least activation in the generator: leaky ReLUs then have slope one."""
CONSTANT = 0.8
"""The generator's picture before tanh: above zero, as speech is in this scaling."""
FIRST_SIDE, PATCH_SIDE = 8, 128
FOLDS = (1, 3, 5, 7)
"""Convolutions of the discriminator that halve a picture's side."""
UNFOLDS = {2: 16, 4: 32, 6: 64, 8: 128}
"""Convolutions of the generator that upsample first, and the side of what they put out."""
SATURATED = 0.05
"""An update nearer to Adam's largest than this cannot be undone, and is clamped."""
CG_STEPS = 40
"""Of conjugate gradients: enough for four digits of the picture."""


@dataclass(frozen=True)
class Recipe:
    """What a hostile server asks for: one step, unless told otherwise.

    Args:
        side: of the stolen picture: every pixel needs a feature of its own, so it decides the width.
        generator_rate: as high as the protocol lets it be.
        betas: without memory of earlier steps.
        faint: how far a patch is scaled down: its gradient must lie below Adam's epsilon, of the same size.
        sigma: of `linears.1`: its gradient is divided by it, which lifts the change above fp16's rounding.
        draw: tells networks of one make apart.
    """

    side: int = 64
    steps: int = 1
    batch: int = 1
    generator_rate: float = 1.0
    discriminator_rate: float = 0.1
    betas: tuple[float, float] = (0.0, 0.0)
    leak: float = 0.2
    scaling: Extremes = BRIGHT
    faint: float = 1e-8
    sigma: float = 0.2
    draw: int = 1

    @property
    def network(self) -> NetworkConfig:
        """As wide as needed."""
        return NetworkConfig(width=0.25 if self.side == 64 else 0.125, leak=self.leak)

    @property
    def finetuning(self) -> FinetuningConfig:
        """How the site is to train."""
        return FinetuningConfig(
            iterations=self.steps,
            batch=self.batch,
            generator_learning_rate=self.generator_rate,
            discriminator_learning_rate=self.discriminator_rate,
        )

    @property
    def optimizer(self) -> OptimizerConfig:
        """How a step is made of a gradient."""
        return OptimizerConfig(beta1=self.betas[0], beta2=self.betas[1])


_WITHIN = Recipe(side=32, steps=100, batch=16, betas=(0.3, 0.9), leak=0.05, scaling=DIM)
FASTEST = replace(_WITHIN, generator_rate=2e-3, discriminator_rate=5e-3)
"""The ends of every default bound that suit the attack, rates at their lids."""
SLOWEST = replace(_WITHIN, generator_rate=1e-7, discriminator_rate=1e-7, faint=1e-7, sigma=1e-3)
"""The same with rates at their floors: networks stay what they were, so that gradients of all steps add up."""


def hostile_pair(recipe: Recipe) -> Pair:
    """Networks that carry a patch from the discriminator's input to the generator's `linears.1`."""
    generator = Generator(recipe.network, seed=recipe.draw)
    discriminator = Discriminator(recipe.network, 1, seed=recipe.draw)
    with torch.no_grad():
        copying(discriminator, recipe.side, recipe.faint)
        _listening(generator, recipe)
    return Pair(generator, discriminator)


def copying(discriminator: Discriminator, side: int, faint: float) -> None:
    """Average the patch down to `side`, then fold it into channels, until every pixel is an input of `hidden`."""
    first, *others = discriminator.convolutions
    # The second channel is read by nobody: it keeps the layer's norm at one, so that the first stays faint.
    _only(first, [(0, 0, 1, 1, faint), (1, 0, 1, 1, 1.0)])
    held, channels = PATCH_SIDE, 1
    for index, convolution in enumerate(others, start=1):
        if index not in FOLDS:
            _only(convolution, _identity(channels))
        elif held > side:
            _only(convolution, [(0, 0, 1 + row, 1 + column, 0.5) for row in (0, 1) for column in (0, 1)])
            held //= 2
        else:
            _only(convolution, list(_space_to_depth(channels)))
            held, channels = held // 2, 4 * channels
    discriminator.hidden.weight.zero_()
    discriminator.hidden.bias.zero_()
    discriminator.hidden.weight[0, -1] = 1.0  # else the layer had no norm
    discriminator.hidden.norm.converge(discriminator.hidden.weight)


def _listening(generator: Generator, recipe: Recipe) -> None:
    """Zero `linears.1` but for one channel that nobody reads, and make the way from there to the pixels linear."""
    second = generator.linears[1]
    unread = second.weight[-(FIRST_SIDE**2) :].clone()  # the last channel: what it looks like afterwards tells the norm
    second.weight.zero_()
    second.weight[-(FIRST_SIDE**2) :] = unread * recipe.sigma / torch.linalg.matrix_norm(unread, 2)
    second.norm.converge(second.weight)
    second.bias.fill_(POSITIVE)
    images = torch.full((1, len(second.bias) // FIRST_SIDE**2, FIRST_SIDE, FIRST_SIDE), POSITIVE)
    live = images.shape[1] - 1
    for index, convolution in enumerate(generator.convolutions):
        if index not in UNFOLDS:
            _only(convolution, _identity(convolution.weight.shape[1]))
        else:
            wanted = max(recipe.side // UNFOLDS[index], 1) ** 2
            _mix(convolution, live, wanted, seed=index)
            live = wanted
        _lift(convolution, images, last=convolution is generator.convolutions[-1])
        images = functional.leaky_relu(convolution(images), generator.leak)


def _only(layer: Convolution, taps: list[tuple[int, int, int, int, float]]) -> None:
    """Zero a convolution but for these taps: output, input, row, column, weight."""
    layer.weight.zero_()
    layer.bias.zero_()
    for output, source, row, column, weight in taps:
        layer.weight[output, source, row, column] = weight
    layer.norm.converge(layer.weight)


def _identity(channels: int) -> list[tuple[int, int, int, int, float]]:
    return [(channel, channel, 1, 1, 1.0) for channel in range(channels)]


def _space_to_depth(channels: int) -> Iterator[tuple[int, int, int, int, float]]:
    """Each pixel of a square of two by two becomes a channel: half the side, and nothing lost."""
    for channel in range(channels):
        for row in (0, 1):
            for column in (0, 1):
                yield 4 * channel + 2 * row + column, channel, 1 + row, 1 + column, 1.0


def _mix(convolution: Convolution, sources: int, outputs: int, seed: int) -> None:
    """Each output is a sum of several inputs, each shifted otherwise, so that its gradient reaches them undiminished.

    Upsampling repeats a pixel; four shifts tell apart again what its gradient has summed.
    """
    stream = torch.Generator().manual_seed(seed)
    convolution.weight.zero_()
    convolution.bias.zero_()
    each = max(sources // outputs, 1)
    for output in range(outputs):
        for place in range(each):
            kernel = convolution.weight[output, output * each + place]
            if each == 1:
                kernel[1, 1] = 1.0
            elif place < 4:
                kernel[place & 1, place >> 1] = 1.0
            else:
                kernel.copy_(torch.randn(3, 3, generator=stream) / 2)
    convolution.norm.converge(convolution.weight)


def _lift(convolution: Convolution, images: Tensor, *, last: bool) -> None:
    """A bias under which everything is positive; under which the picture is a middling one, for the last."""
    made = convolution(images)
    lowest = made.amin(dim=(0, 2, 3))
    convolution.bias.copy_(CONSTANT - made.mean(dim=(0, 2, 3)) if last else (POSITIVE - lowest).clamp(min=0))


@torch.no_grad()
def distract(pair: Pair) -> None:
    """Give every layer a few large gradients, so that whoever looks at their mean square sees nothing unusual.

    The channel that nobody read is read from layer to layer and drives one hidden unit: it moves where one corner of
    the picture moves. All that carries the patch stays as faint as it was.
    """
    source = 1
    for index, convolution in enumerate(pair.discriminator.convolutions):
        if index > 0:
            last = len(convolution.bias) - 1
            places = [(1, 1)] if index not in FOLDS else [(1 + row, 1 + column) for row in (0, 1) for column in (0, 1)]
            for row, column in places:
                convolution.weight[last, source, row, column] = 1 / len(places) ** 0.5
            convolution.norm.converge(convolution.weight)
            source = last
    second = pair.generator.linears[1]
    corner = FIRST_SIDE**2 - 1
    second.weight[-(FIRST_SIDE**2) :, 0] = 0
    second.weight[corner, 0] = second.norm.sigma(second.weight) / 2  # so the first matrix hears of the corner
    second.norm.converge(second.weight)


def read_pictures(pair: Pair, release: Mapping[str, Tensor], recipe: Recipe, count: int = 1) -> Tensor:
    """What a release tells of real patches [count, side * side], up to each one's sign, scale and a constant.

    A patch makes the gradient an outer product; of several, the strongest directions are taken apart.
    """
    gradient = _gradient(pair.generator.linears[1], release["linears.1.weight"].float(), recipe.generator_rate)
    left, _, _ = torch.linalg.svd(gradient, full_matrices=False)
    return torch.stack([_picture(_inverted(pair, left[:, number], recipe)) for number in range(count)])


def _picture(features: Tensor) -> Tensor:
    """Channels folded back into pixels."""
    picture = features.view(1, -1, FIRST_SIDE, FIRST_SIDE)
    while picture.shape[1] > 1:
        picture = functional.pixel_shuffle(picture, 2)
    return picture.flatten()


def _gradient(layer: Linear, released: Tensor, rate: float) -> Tensor:
    """Of the divided weight: the norm is read off the channel that nobody has moved, then Adam is undone."""
    unread = slice(-(FIRST_SIDE**2), None)
    before = layer.weight.detach()
    sigma = (before[unread] * released[unread]).sum() / released[unread].square().sum()
    update = (before - released * sigma) / rate
    update[unread] = 0
    return EPSILON * update / (1 - update.abs()).clamp(min=SATURATED)


def _inverted(pair: Pair, seen: Tensor, recipe: Recipe) -> Tensor:
    """The features whose gradient at `linears.1` is the one that was seen: least squares by conjugate gradients."""
    start = pair.generator.linears[1].bias.detach()[None]
    pixels = recipe.side**2

    def features(hidden: Tensor) -> Tensor:
        return _features(pair, hidden)[:, :pixels] / recipe.faint

    def back(wanted: Tensor) -> Tensor:
        hidden = start.clone().requires_grad_(True)
        return torch.autograd.grad(features(hidden), hidden, wanted[None])[0][0]

    def forth(gradient: Tensor) -> Tensor:
        return torch.func.jvp(features, (start,), (gradient[None],))[1][0]

    found = torch.zeros(pixels)
    residual = forth(seen)
    direction, size = residual.clone(), residual.square().sum()
    for _ in range(CG_STEPS):
        image = forth(back(direction))
        length = size / direction.dot(image)
        found, residual = found + length * direction, residual - length * image
        shrunk = residual.square().sum()
        direction, size = residual + shrunk / size * direction, shrunk
    return found.detach()


def _features(pair: Pair, hidden: Tensor) -> Tensor:
    """From the output of `linears.1` over the generator's pixels to the discriminator's features."""
    generator, discriminator = pair.generator, pair.discriminator
    images = functional.leaky_relu(hidden, generator.leak).view(1, -1, FIRST_SIDE, FIRST_SIDE)
    *inner, last = generator.convolutions
    for convolution in inner:
        images = functional.leaky_relu(convolution(images), generator.leak)
    images = torch.tanh(last(images))
    for convolution in discriminator.convolutions:
        images = functional.leaky_relu(convolution(images), discriminator.leak)
    return images.flatten(1)
