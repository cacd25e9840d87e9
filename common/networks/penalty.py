"""Penalties on a critic's slope: WGAN-GP's (Gulrajani et al. 2017, equation 3) and the Wasserstein divergence's.

Owns them alone. Must not know where the interpolates come from or how heavy they weigh.
"""

import torch
from torch import Tensor
from torch.nn import functional

from common.networks.chain import adjoint, laid_out, outputs_of, resume
from common.networks.discriminator import Discriminator
from common.networks.perceptron import Perceptron


def scores_and_penalty(critic: Discriminator, patches: Tensor, interpolates: Tensor) -> tuple[Tensor, Tensor]:
    """What a critic of one output makes of patches, and the mean of (slope - 1)^2 by its adjoint written out.

    A critic of leaky ReLUs is linear between kinks, so its slope is a product of its weights under constant masks, and
    differentiating that product once is enough. Both need one forward, and weights divided once.
    """
    links, shown = critic.links(), len(patches)
    images = laid_out(torch.cat((patches, interpolates)).detach())
    outputs = outputs_of(links, images, critic.leak)
    last = resume(links, images[:shown], [output[:shown] for output in outputs], critic.leak)
    believed, between = last.flatten(1), [output[shown:] for output in outputs]
    slope = critic.head.adjoint(believed.new_ones(1, 1))
    hidden, received = critic.hidden.to_and_fro(believed, between[-1].flatten(1), slope, critic.leak)
    scores = critic.head.swiftly(functional.leaky_relu(hidden, critic.leak))
    gradient = adjoint(links, between, images[shown:], received.view_as(between[-1]), critic.leak)
    slopes = torch.linalg.vector_norm(gradient.float(), dim=(1, 2, 3))
    return scores, (slopes - 1).square().mean()


def wasserstein_divergence(
    critic: Perceptron, real: Tensor, fake: Tensor, between: Tensor, weight: float, power: float
) -> Tensor:
    """What a critic descends under the Wasserstein divergence (Wu et al. 2018): the real low, the fake high.

    A generator then descends the critic's mean over its fakes. Turning one of the two signs sends both without end.

    Args:
        critic: a network of one output, or a stack of such.
        real: rows, of each network of a stack its own.
        fake: likewise.
        between: points between real and fake, where the slope is held down.
        weight: of the slope's power.
        power: to which the slope's length is raised; what is printed in two papers stands beside the norm's sign.
    """
    scores = critic(torch.cat((real, fake), dim=-2))
    believed, doubted = scores.split((real.shape[-2], fake.shape[-2]), dim=-2)
    steepness = torch.linalg.vector_norm(critic.slope(between), dim=-1).pow(power)
    divergence: Tensor = believed.mean() - doubted.mean() + weight * steepness.mean()
    return divergence
