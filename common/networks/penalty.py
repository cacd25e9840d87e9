"""The gradient penalty of WGAN-GP: how far a critic's slope is from one (Gulrajani et al. 2017, equation 3).

Owns the penalty alone. Must not know where the interpolates come from or how heavy it weighs.
"""

import torch
from torch import Tensor

from common.networks.discriminator import Discriminator


def slopes(scores: Tensor, patches: Tensor) -> Tensor:
    """The norm of the gradient of each patch's score, itself differentiable."""
    (gradient,) = torch.autograd.grad(scores.sum(), patches, create_graph=True)
    return gradient.flatten(1).norm(dim=1)


def textbook_penalty(discriminator: Discriminator, interpolates: Tensor) -> Tensor:
    """Mean of (slope - 1)^2 by differentiating twice; for any number of outputs.

    Under a K+1 softmax the score is the log-sum of the emotions' outputs less the fake output.
    """
    patches = interpolates.detach().requires_grad_()
    scores = discriminator(patches)
    if scores.shape[1] > 1:
        scores = scores[:, :-1].logsumexp(dim=1) - scores[:, -1]
    return (slopes(scores, patches) - 1).square().mean()


def critic_penalty(discriminator: Discriminator, interpolates: Tensor) -> Tensor:
    """Mean of (slope - 1)^2 for a critic of one output."""
    return textbook_penalty(discriminator, interpolates)
