"""Models that can be fitted where the data is and sampled where it is not.

Owns the registry: one module a synthesizer in `methods`, and other packages' by the entry point group
`eyesoff.synthesizers`. Must not know where a release goes or what is trained on the samples.
"""

from typing import Any

from common.augmentation import STAYS
from common.errors import UserError
from common.registry import Registry
from common.synthesizers.synthesizer import Cost, Fitting, Sampler, Shapes, Synthesizer, Weights

__all__ = ["SYNTHESIZERS", "Cost", "Fitting", "Sampler", "Shapes", "Synthesizer", "Weights", "synthesizer"]

SYNTHESIZERS: Registry[Synthesizer[Any]] = Registry(
    "synthesizer", "common.synthesizers.methods", "SYNTHESIZER", "eyesoff.synthesizers", Synthesizer
)


def synthesizer(name: str) -> Synthesizer[Any]:
    """One of the registry; what makes samples of the recordings themselves is refused with its reason."""
    if name in STAYS and name not in SYNTHESIZERS:
        where = f"methods.synthesizer = {name}"
        remedy = f"compare it centralized (`eyesoff compare --modes real,{name}`)"
        raise UserError(f"{STAYS[name]}; it does not leave a site", where=where, remedy=remedy)
    return SYNTHESIZERS.get(name)
