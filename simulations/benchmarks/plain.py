"""The four training steps as a textbook writes them: the yardstick of `eyesoff bench step`.

Owns networks and steps built from stock PyTorch parts alone: default layout, stock spectral norm with its iteration
in every forward, nearest upsampling followed by a convolution, double backward, stock Adam. Must not use what
`common.networks` does for speed; it takes first weights from there, so that both paths start alike.
"""

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from common.networks import Discriminator, Generator
from common.networks.layers import Layer


def plain_generator(generator: Generator) -> nn.Sequential:
    """The same function as `generator`, of stock parts: [batch, N_z + N_c] -> patches."""
    parts: list[nn.Module] = []
    for linear in generator.linears:
        parts += [_stock(linear), nn.LeakyReLU(generator.leak)]
    channels = generator.convolutions[0].weight.shape[1]
    parts.append(nn.Unflatten(1, (channels, 8, 8)))
    for number, convolution in enumerate(generator.convolutions[:-1], start=1):
        parts += [_stock(convolution), nn.LeakyReLU(generator.leak)]
        if number % 2 == 0:
            parts.append(nn.Upsample(scale_factor=2, mode="nearest"))
    return nn.Sequential(*parts, _stock(generator.convolutions[-1]), nn.Tanh())


def plain_discriminator(discriminator: Discriminator) -> nn.Sequential:
    """The same function as `discriminator`, of stock parts."""
    parts: list[nn.Module] = []
    for convolution in discriminator.convolutions:
        parts += [_stock(convolution), nn.LeakyReLU(discriminator.leak)]
    hidden = [nn.Flatten(), _stock(discriminator.hidden), nn.LeakyReLU(discriminator.leak)]
    return nn.Sequential(*parts, *hidden, _stock(discriminator.head))


def _stock(layer: Layer) -> nn.Module:
    """A stock layer under the stock spectral norm, its weights and singular vectors copied."""
    outputs, inputs = layer.weight.shape[:2]
    stock: nn.Module
    if layer.weight.ndim == 2:
        stock = nn.Linear(inputs, outputs)
    else:
        stock = nn.Conv2d(inputs, outputs, 3, stride=getattr(layer, "stride", 1), padding=1)
    with torch.no_grad():
        stock.weight.copy_(layer.weight)
        stock.bias.copy_(layer.bias)
        normed = spectral_norm(stock)
        norm = normed.parametrizations.weight[0]
        norm._u.copy_(layer.norm.u)
        norm._v.copy_(layer.norm.v)
    return normed
