"""From a fit's weights to what leaves, and back: the one place where a release's weights are restored.

Owns that way, for whichever synthesizer. Must not know where a release or its public networks lie.
"""

from collections.abc import Mapping

from torch import Tensor

from common.synthesizers.synthesizer import Distilling
from common.training.phases import Surroundings
from common.weights import cut, restored, rounding
from common.wire.schema import whole_shapes
from common.wire.terms import Tuning
from common.wire.weights import check_values

LARGEST = 1000.0
"""How far from zero a restored weight may be, as what crosses whole."""


def distilled_weights(
    tuning: Tuning,
    weights: Mapping[str, Tensor],
    base: Mapping[str, Tensor],
    held: tuple[bool, ...],
    seed: int,
    around: Surroundings,
) -> Mapping[str, Tensor]:
    """Of what was fitted, weights of which a cut loses little, where that was asked for; else as they are.

    The seed is the one that they are released by: what is judged here is what leaves.
    """
    if not tuning.distilled:
        return weights
    whole = Distilling(weights, _reference(tuning, base), tuning.form, seed, around, held)
    return tuning.method.distilled(whole, tuning.own)


def released_weights(
    tuning: Tuning, weights: Mapping[str, Tensor], base: Mapping[str, Tensor], seed: int
) -> dict[str, Tensor]:
    """What leaves of these weights in the form that was asked for; the seed is of the rounding alone."""
    return cut(weights, _reference(tuning, base), tuning.form, rounding(seed))


def restored_weights(tuning: Tuning, left: Mapping[str, Tensor], base: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights again, for a sampler; `base` are the public networks that the tuning names, where it names some."""
    weights = restored(left, _reference(tuning, base), tuning.form, whole_shapes(tuning))
    if not tuning.form.is_whole:  # of which no weight has been looked at yet
        for name, value in weights.items():
            check_values(name, value, LARGEST)
    return weights


def needs_base(tuning: Tuning) -> bool:
    """Whether nothing can be drawn of its release without the public networks."""
    return not tuning.form.is_whole and tuning.method.is_based(tuning.own, len(tuning.labels))


def _reference(tuning: Tuning, base: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    return tuning.method.reference_of(base, tuning.own, len(tuning.labels)) if needs_base(tuning) else {}
