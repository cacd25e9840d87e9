"""Gaussians whose numbers passed a Gaussian mechanism, in a space that is public.

Owns the way from examples to such numbers, and back into the space of examples. Must not know which method releases
them, nor what a site has left to spend. Nothing but the mechanism touches speech here: centre, directions, units and
the norm to clip to come from public speech alone, and what follows the noise reads the noised numbers alone.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from common.errors import UserError
from common.features.public import public_standard, public_vectors
from common.privacy.accountant import check_delta, signal_for
from common.privacy.moments import Floats, Moments, Shares, clipped, moments, noised, public_clip, signal_of_each
from common.seeds import numpy_stream
from common.spaces import Space, Vectors
from common.synthesizers.synthesizer import Fitting, Privacy
from common.training.draws import everything

MEANS = Shares(counts=0.1, sums=0.9)
COVARIANCE = Shares(counts=0.05, sums=0.65, squares=0.3)
LEAST = 1e-2
"""Of a variance in public units: noise may have bent one to nothing."""


@dataclass(frozen=True, eq=False)
class PublicSpace:
    """Directions in which public speech deviates most, and units along them.

    Args:
        centre: of public speech, [size].
        directions: each as long as public speech deviates along it, [d, size].
        clip: a norm that few public vectors pass, in units.
    """

    centre: Floats
    directions: Floats
    clip: float

    def turned(self, values: Tensor) -> Floats:
        """Examples in units along the directions, [n, d]."""
        lengths = np.square(self.directions).sum(axis=1)
        return np.asarray((values.double().numpy() - self.centre) @ (self.directions.T / lengths))


@lru_cache(maxsize=4)
def public_space(name: str, count: int) -> PublicSpace:
    """Of a set of vectors that comes with public ones, in units of public speech."""
    rows = public_standard(name).apply(public_vectors(name)).double().numpy()
    centre = rows.mean(axis=0)
    _, deviations, turned = np.linalg.svd(rows - centre, full_matrices=False)
    if count > (most := len(deviations) // 4):
        raise UserError(f"{count} public directions are more than {most}, which so many public vectors tell surely")
    directions = turned[:count] * (deviations[:count, None] / np.sqrt(len(rows) - 1))
    without = PublicSpace(centre, directions, np.inf)
    return PublicSpace(centre, directions, public_clip(without.turned(torch.from_numpy(rows))))


def private_gaussians(fitting: Fitting, privacy: Privacy, directions: int, shares: Shares) -> dict[str, Tensor]:
    """Mean, factor and deviation, as a Gaussian of vectors releases them."""
    return released(told_moments(fitting, privacy, directions, shares), fitting.space, directions, shares)


def told_moments(
    fitting: Fitting, privacy: Privacy | None, directions: int, shares: Shares, hiding: int = 1
) -> Moments:
    """Of a site's speech, with noise unless none is asked for.

    Where `hiding` sites' moments are in a sum at the least, each brings so much less noise: together they bring enough.
    """
    own = _space_of(fitting.space, directions)
    whole = everything(fitting.examples(False))
    exact = moments(own.turned(whole.values), whole.labels.numpy(), fitting.classes, own.clip, shares)
    if privacy is None:
        return exact
    check_delta(privacy.delta, len(whole.values))
    signal = signal_of_each(signal_for(privacy.epsilon, privacy.delta), hiding)
    # Of the settings too: the same noise at two sizes could be solved for, and taken away.
    asked = (privacy.epsilon, privacy.delta, directions, shares.squares, *[hiding] * (hiding > 1))
    stream = numpy_stream(fitting.seed, "private moments", *map(repr, asked))
    return noised(exact, signal, own.clip, shares, stream)


def released(told: Moments, space: Space, directions: int, shares: Shares) -> dict[str, Tensor]:
    """Mean, factor and deviation, from moments alone.

    A covariance is one for all emotions; where none is asked for, it is that of public speech. Samples deviate along
    the directions alone: nothing is known of an emotion beside them, and noise there would drown what is.
    """
    own = _space_of(space, directions)
    means = clipped(told.means(), own.clip)
    factor = own.directions
    if shares.squares:
        variances, axes = np.linalg.eigh(told.covariance())
        factor = (axes * np.sqrt(variances.clip(min=LEAST))).T @ own.directions
    return {
        "mean": torch.from_numpy(own.centre + means @ own.directions).float(),
        "factor": torch.from_numpy(factor)[None].float(),
        "deviation": torch.zeros(1, len(own.centre)),
    }


def _space_of(space: Space, directions: int) -> PublicSpace:
    """Refused where units are those of the site's own speech: they would tell of it, and nobody would have counted."""
    if not isinstance(space, Vectors) or space.scale != "public":
        found = space.scale if isinstance(space, Vectors) else space.kind
        remedy = "set vectors.normalisation = public, or gaussian.epsilon = none"
        raise UserError("a private fit reads vectors in units of public speech alone", where=found, remedy=remedy)
    return public_space(space.set, directions)
