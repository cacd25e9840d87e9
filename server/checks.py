"""Whether anything can be learnt from a release's samples, by themselves: looked at before it is banked.

Owns what is drawn and each reason against a release alone. Must not know other releases, nor what becomes of one that
is turned down. A careful poisoner passes: this says that training can go on, not that a client is honest.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor

from common.seeds import torch_stream
from common.settings import Sketch
from common.synthesizers import Sampler
from common.training.likeness import SKETCHES

Statistics = Mapping[Sketch, Tensor]

SAMPLES = 32
"""Of each emotion, from the same latents under each, so that an emotion's effect is seen apart from a latent's."""
TOP, MOST_AT_TOP = 0.999, 0.05
"""As loud as can be, and how many values may be so; the other end is silence, of which speech may be full."""
LEAST = 2e-6
"""Of any deviation: what rounding may leave of none at all. Networks that nobody trained deviate by more."""


def draw(sampler: Sampler, classes: Sequence[int], *seed: str | int) -> Tensor:
    """Patches [classes, SAMPLES, 1, 128, 128] of the classes that a release knows; of others it need make no sense."""
    return torch.stack(
        [sampler.sample(torch.full((SAMPLES,), number), torch_stream(*seed, "check")) for number in classes]
    )


def fault_of(patches: Tensor) -> str:
    """Why nothing can be learnt from these samples, or nothing."""
    flat = patches.flatten(2)
    broken = int((~flat.isfinite()).any(dim=2).sum())
    if broken:
        return f"{broken} of {flat.shape[0] * flat.shape[1]} samples are not finite"
    top = float((flat > TOP).float().mean())
    if top > MOST_AT_TOP:
        return f"its samples are saturated: {top:.0%} of their values are as loud as can be"
    if float(flat.std(dim=2).mean()) < LEAST:
        return "its samples are constant: nothing varies within a patch"
    if float(flat.std(dim=1).mean(dim=1).min()) < LEAST:
        return "its samples of an emotion are all alike"
    if any(float((one - other).abs().mean()) < LEAST for one, other in combinations(flat, 2)):
        return "its samples are the same whichever of two emotions is asked for"
    return ""


def statistics_of(patches: Tensor) -> Statistics:
    """Patches [classes, SAMPLES, 1, 128, 128] -> each statistic of likeness, [classes, SAMPLES, d] in fp16.

    Those of every release are in memory together; they are all that is.
    """
    flat = patches.flatten(0, 1)
    return {name: statistic(flat).half().unflatten(0, patches.shape[:2]) for name, statistic in SKETCHES.items()}
