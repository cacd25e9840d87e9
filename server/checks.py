"""Whether anything can be learnt from a release's samples, by themselves: looked at before it is banked.

Owns what is drawn and each reason against a release alone. Must not know other releases, nor what becomes of one that
is turned down. A careful poisoner passes: this says that training can go on, not that a client is honest.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor

from common.seeds import torch_stream
from common.spaces import Space, Vectors
from common.synthesizers import Sampler
from common.training.likeness import STATISTICS

Statistics = Mapping[str, Tensor]

SAMPLES = 32
"""Of each emotion, from the same latents under each, so that an emotion's effect is seen apart from a latent's."""
TOP, MOST_AT_TOP = 0.999, 0.05
"""As loud as can be, and how many values may be so; the other end is silence, of which speech may be full."""
FAR = 10.0
"""Where scaled vectors are cut, at both ends."""
LEAST = 2e-6
"""Of any deviation: what rounding may leave of none at all. Networks that nobody trained deviate by more."""


def draw(sampler: Sampler, classes: Sequence[int], *seed: str | int) -> Tensor:
    """Examples [classes, SAMPLES, *shape] of the classes that a release knows; of others it need make no sense."""
    return torch.stack(
        [sampler.sample(torch.full((SAMPLES,), number), torch_stream(*seed, "check")) for number in classes]
    )


def fault_of(samples: Tensor, space: Space) -> str:
    """Why nothing can be learnt from these samples, or nothing."""
    flat = samples.flatten(2)
    broken = int((~flat.isfinite()).any(dim=2).sum())
    if broken:
        return f"{broken} of {flat.shape[0] * flat.shape[1]} samples are not finite"
    if saturated := _saturated(flat, space):
        return f"its samples are saturated: {saturated}"
    if float(_deviations(flat, 2).mean()) < LEAST:
        return f"its samples are constant: nothing varies within a {_noun(space)}"
    if float(_deviations(flat, 1).mean(dim=1).min()) < LEAST:
        return "its samples of an emotion are all alike"
    if any(float((one - other).abs().mean()) < LEAST for one, other in combinations(flat, 2)):
        return "its samples are the same whichever of two emotions is asked for"
    return ""


def _deviations(values: Tensor, dim: int) -> Tensor:
    """Deviations along a dimension, in a fraction of the time of `std`, which keeps more digits than are needed."""
    return (values - values.mean(dim, keepdim=True)).square_().mean(dim).sqrt_()


def _noun(space: Space) -> str:
    return "vector" if isinstance(space, Vectors) else "patch"


def _saturated(flat: Tensor, space: Space) -> str:
    """How many values lie at an end of their range; raw numbers have none."""
    if not isinstance(space, Vectors):
        top = float((flat > TOP).float().mean())
        return f"{top:.0%} of their values are as loud as can be" if top > MOST_AT_TOP else ""
    far = 0.0 if space.scale == "raw" else float((flat.abs() >= FAR).float().mean())
    return f"{far:.0%} of their values lie {FAR:g} deviations from the mean" if far > MOST_AT_TOP else ""


def statistics_of(samples: Tensor, space: Space) -> Statistics:
    """Samples [classes, SAMPLES, *shape] -> each statistic [classes, SAMPLES, d], of patches those of likeness in fp16.

    Those of every release are in memory together; they are all that is.
    """
    if isinstance(space, Vectors):
        return {"values": samples.float()}
    flat = samples.flatten(0, 1)
    return {name: statistic(flat).half().unflatten(0, samples.shape[:2]) for name, statistic in STATISTICS.items()}
