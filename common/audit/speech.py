"""Speech as an audit takes it: utterances in their place, and the part of it that a twin is fitted to.

Owns the way from features to both. Must not know a synthesizer.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from common.audit.density import Utterances
from common.audit.places import Place, place_of, windows_of
from common.audit.reconstruction import Targets
from common.features.scaling import Scaling
from common.features.spaces import SpeechFeatures
from common.features.vectors import VectorFeatures
from common.spaces import Space, Vectors


@dataclass(frozen=True, eq=False)
class Speech:
    """Labelled utterances that have features in a space; the scaling is that of patches."""

    features: SpeechFeatures
    space: Space
    scaling: Scaling | None

    @cached_property
    def _windows(self) -> tuple[Utterances, Place]:
        manifest = self.features.manifest
        values, owners = windows_of(self.space, list(self.features.utterances(self.scaling)))
        raw = torch.from_numpy(np.array(self.features.raw)) if isinstance(self.features, VectorFeatures) else values
        place = place_of(self.space, raw)
        labels = np.array([manifest.label_index(utterance) for utterance in manifest.utterances])
        names = manifest.speakers
        speakers = np.array([names.index(utterance.speaker) for utterance in manifest.utterances])
        return Utterances(place(values), owners, labels, speakers), place

    @property
    def utterances(self) -> Utterances:
        """All of them, placed."""
        return self._windows[0]

    @property
    def place(self) -> Place:
        """Puts samples beside them."""
        return self._windows[1]

    @property
    def targets(self) -> Targets | None:
        """What a decoder would have to make; of vectors none is asked for, since their law is known by density."""
        if isinstance(self.space, Vectors):
            return None
        values, owners = windows_of(self.space, list(self.features.utterances(self.scaling)))
        return Targets(values, owners, self.utterances.labels)

    def part(self, chosen: NDArray[np.int64]) -> SpeechFeatures:
        """These utterances alone: all that a fit of a twin may see."""
        own = self.features.manifest
        paths = {own.utterances[number].path for number in chosen}
        return self.features.of(own.where(lambda utterance: utterance.path in paths))
