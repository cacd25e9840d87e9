"""The four training steps as a textbook writes them: the yardstick of `eyesoff bench step`.

Owns networks and steps built from stock PyTorch parts alone: default layout, stock spectral norm with its iteration
in every forward, nearest upsampling followed by a convolution, double backward, stock Adam. Must not use what
`common.networks` does for speed; it takes first weights from there, so that both paths start alike.
"""

from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from common.config.tree import Config
from common.networks import Discriminator, Generator
from common.networks.layers import Layer
from common.networks.spectral import SpectralNorm
from common.training.draws import Draw
from common.training.stages import Pair

Losses = dict[str, float]
Step = Callable[[Draw], Losses]


def plain_autoencoder(pair: Pair, config: Config) -> Step:
    """Reconstruction under L1."""
    encoder, decoder = plain_discriminator(pair.discriminator), plain_generator(pair.generator)
    rate = config.pretraining.autoencoder.learning_rate
    optimizer = _adam([*encoder.parameters(), *decoder.parameters()], rate, config)

    def step(draw: Draw) -> Losses:
        code = encoder(draw["values"])
        rebuilt = decoder(_with_zeros(code, config))
        loss = functional.l1_loss(rebuilt, draw["values"])
        _descend(loss, optimizer)
        return {"autoencoder/loss": loss.item()}

    return step


def plain_adversarial(pair: Pair, config: Config) -> Step:
    """WGAN-GP; one batch of fakes serves both networks, as in `common.training`."""
    settings = config.pretraining.adversarial
    discriminator, generator = plain_discriminator(pair.discriminator), plain_generator(pair.generator)
    discriminator_optimizer = _adam(discriminator.parameters(), settings.discriminator_learning_rate, config)
    generator_optimizer = _adam(generator.parameters(), settings.generator_learning_rate, config)

    def step(draw: Draw) -> Losses:
        made = generator(_with_zeros(draw["latents"], config))
        fake = made.detach()
        mixed = (draw["mix"] * draw["values"] + (1 - draw["mix"]) * fake).requires_grad_()
        (gradient,) = torch.autograd.grad(discriminator(mixed).sum(), mixed, create_graph=True)
        penalty = ((gradient.flatten(1).norm(dim=1) - 1) ** 2).mean()
        discriminator_loss = (
            discriminator(fake).mean() - discriminator(draw["values"]).mean() + settings.penalty * penalty
        )
        _descend(discriminator_loss, discriminator_optimizer)
        generator_loss = -discriminator(made).mean()
        _descend(generator_loss, generator_optimizer)
        return {"discriminator/loss": discriminator_loss.item(), "generator/loss": generator_loss.item()}

    return step


def plain_finetuning(pair: Pair, config: Config) -> Step:
    """K + 1 softmax under cross-entropy, without the options that are off in the paper."""
    settings, classes = config.finetuning, config.corpus.classes
    discriminator, generator = plain_discriminator(pair.discriminator), plain_generator(pair.generator)
    discriminator_optimizer = _adam(discriminator.parameters(), settings.discriminator_learning_rate, config)
    generator_optimizer = _adam(generator.parameters(), settings.generator_learning_rate, config)

    def step(draw: Draw) -> Losses:
        condition = functional.one_hot(draw["wanted"], classes).float()
        made = generator(torch.cat((draw["latents"], settings.condition_gain * condition), dim=1))
        fake = torch.full_like(draw["labels"], classes)
        real_loss = functional.cross_entropy(discriminator(draw["values"]), draw["labels"])
        fake_loss = functional.cross_entropy(discriminator(made.detach()), fake)
        discriminator_loss = (real_loss + fake_loss) / 2
        _descend(discriminator_loss, discriminator_optimizer)
        generator_loss = functional.cross_entropy(discriminator(made), draw["wanted"])
        _descend(generator_loss, generator_optimizer)
        return {"discriminator/loss": discriminator_loss.item(), "generator/loss": generator_loss.item()}

    return step


def plain_recognizer(network: Discriminator, config: Config) -> Step:
    """Cross-entropy of the emotions."""
    recognizer = plain_discriminator(network)
    optimizer = _adam(recognizer.parameters(), config.recognizer.learning_rate, config)

    def step(draw: Draw) -> Losses:
        loss = functional.cross_entropy(recognizer(draw["values"]), draw["labels"])
        _descend(loss, optimizer)
        return {"recognizer/loss": loss.item()}

    return step


def plain_generator(generator: Generator) -> nn.Sequential:
    """The same function of stock parts: [batch, N_z + N_c] -> patches."""
    *inner, last = cast("list[Layer]", generator.convolutions)
    parts: list[nn.Module] = []
    for linear in cast("list[Layer]", generator.linears):
        parts += [_stock(linear), nn.LeakyReLU(generator.leak)]
    parts.append(nn.Unflatten(1, (inner[0].weight.shape[1], 8, 8)))
    for number, convolution in enumerate(inner, start=1):
        parts += [_stock(convolution), nn.LeakyReLU(generator.leak)]
        if number % 2 == 0:
            parts.append(nn.Upsample(scale_factor=2, mode="nearest"))
    return nn.Sequential(*parts, _stock(last), nn.Tanh())


def plain_discriminator(discriminator: Discriminator) -> nn.Sequential:
    """The same function of stock parts."""
    parts: list[nn.Module] = []
    for number, convolution in enumerate(cast("list[Layer]", discriminator.convolutions), start=1):
        parts += [_stock(convolution, stride=2 - number % 2), nn.LeakyReLU(discriminator.leak)]
    linears = [_stock(discriminator.hidden), nn.LeakyReLU(discriminator.leak), _stock(discriminator.head)]
    return nn.Sequential(*parts, nn.Flatten(), *linears)


def _stock(layer: Layer, stride: int = 1) -> nn.Module:
    """A stock layer under the stock spectral norm, its weights and singular vectors copied."""
    outputs, inputs = layer.weight.shape[:2]
    with layer.weight.device:
        stock: nn.Linear | nn.Conv2d = (
            nn.Linear(inputs, outputs)
            if layer.weight.ndim == 2
            else nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)
        )
    with torch.no_grad():
        stock.weight.copy_(layer.weight)
        cast(Tensor, stock.bias).copy_(layer.bias)
        normed = spectral_norm(stock)
        theirs, ours = cast(Any, normed).parametrizations.weight[0], cast(SpectralNorm, layer.norm)
        theirs._u.copy_(ours.u)
        theirs._v.copy_(ours.v)
    return normed


def _with_zeros(latents: Tensor, config: Config) -> Tensor:
    return torch.cat((latents, latents.new_zeros(len(latents), config.corpus.classes)), dim=1)


def _adam(parameters: Iterable[Tensor], rate: float, config: Config) -> torch.optim.Adam:
    return torch.optim.Adam(parameters, lr=rate, betas=(config.optimizer.beta1, config.optimizer.beta2))


def _descend(loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
