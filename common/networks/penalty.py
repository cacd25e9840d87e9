"""The gradient penalty of WGAN-GP: how far a critic's slope is from one (Gulrajani et al. 2017, equation 3).

Owns the penalty alone. Must not know where the interpolates come from or how heavy it weighs.
"""

import torch
from torch import Tensor
from torch.nn import functional

from common.networks.chain import adjoint, laid_out, outputs_of, resume
from common.networks.discriminator import Discriminator


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
