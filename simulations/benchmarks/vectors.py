"""How many utterances a second become vectors: our functionals beside those sets of openSMILE that are installed.

Owns the contestants and what counts as an utterance. Must not know how a set is extracted.
"""

import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError
from common.features.sets import FeatureSet, feature_set
from common.features.silence import trimmed
from common.space import SAMPLE_RATE

OWN, OTHERS = "functionals", ("opensmile:IS09", "opensmile:emobase", "opensmile:IS11")
USUAL = 2.8
"""Seconds of an utterance: the mean of EMO-DB."""
TRIM = 40.0


def contestants() -> dict[str, FeatureSet]:
    """Ours, and those that are here."""
    found = {OWN: feature_set(OWN)}
    for name in OTHERS:
        try:
            found[name] = feature_set(name)
        except UserError:
            continue
    return found


def rates(turns: dict[str, list[float]], seconds: float) -> dict[str, Any]:
    """Utterances of the usual length a second by set, each with the range over the rounds."""
    utterances = seconds / USUAL
    return {
        name: {
            "median": round(utterances / statistics.median(spent), 1),
            "range": [round(utterances / max(spent), 1), round(utterances / min(spent), 1)],
        }
        for name, spent in turns.items()
    }


def heard(waveforms: Sequence[NDArray[np.float32]]) -> tuple[list[NDArray[np.float32]], float]:
    """What is left of recordings without the silence at both ends, and how many seconds that is."""
    speech = [trimmed(waveform, TRIM) for waveform in waveforms]
    return speech, sum(map(len, speech)) / SAMPLE_RATE
