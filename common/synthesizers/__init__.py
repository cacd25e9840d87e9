"""Models that can be fitted where the data is and sampled where it is not.

Owns the registry, one module a synthesizer: a further one needs its module and a line here. Must not know where a
release goes or what is trained on the samples.
"""

from typing import Any

from common.errors import UserError
from common.synthesizers.chatziagapi import CHATZIAGAPI
from common.synthesizers.conditional import CONDITIONAL, ConditionalSampler
from common.synthesizers.floor import FLOOR
from common.synthesizers.synthesizer import Sampler, Speech, Synthesizer

__all__ = ["SYNTHESIZERS", "ConditionalSampler", "Sampler", "Speech", "Synthesizer", "synthesizer"]

SYNTHESIZERS: dict[str, Synthesizer[Any]] = {one.name: one for one in (CONDITIONAL, CHATZIAGAPI, FLOOR)}


def synthesizer(name: str) -> Synthesizer[Any]:
    """One of the registry."""
    if name not in SYNTHESIZERS:
        raise UserError("no such synthesizer", where=name, remedy=f"there are {', '.join(SYNTHESIZERS)}")
    return SYNTHESIZERS[name]
