"""What a set of features is: so many named numbers an utterance, whose they are, and how they are made.

Owns that form. Must not know any set.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Waveform = NDArray[np.float32]
Vector = NDArray[np.float32]


@dataclass(frozen=True)
class FeatureSet:
    """One set, ready to be extracted.

    Args:
        name: as spaces, cards and caches have it.
        version: of whatever makes the numbers; another one is another set.
        licence: of the extractor, which follows what is made with it.
        names: of the numbers, in order.
        extract: 16 kHz mono in [-1, 1] -> a vector.
    """

    name: str
    version: str
    licence: str
    names: tuple[str, ...]
    extract: Callable[[Waveform], Vector]

    @property
    def size(self) -> int:
        """How many numbers."""
        return len(self.names)

    @property
    def digest(self) -> str:
        """Twelve characters for its version and the names in their order."""
        return hashlib.sha256("\n".join((self.version, *self.names)).encode()).hexdigest()[:12]
