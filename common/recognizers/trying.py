"""A recognizer tried on whole utterances: what it took for what, speaker by speaker.

Owns that. Must not know who may be told.
"""

from collections.abc import Callable

import numpy as np

from common.corpora.manifest import Manifest
from common.features.scaling import Scaling
from common.features.spaces import SpeechFeatures
from common.recognizers.recognizer import Predictor, Probabilities
from common.scoring import Confusion


def confusions_by_speaker(
    predictor: Predictor,
    features: SpeechFeatures,
    manifest: Manifest,
    scaling: Scaling | None,
    stop: Callable[[], bool] = lambda: False,
) -> list[Confusion]:
    """One for each speaker of the manifest, in the order of their names."""
    return by_speaker(predictor.utterances(features.utterances(scaling), stop), manifest)


def by_speaker(probabilities: Probabilities, manifest: Manifest) -> list[Confusion]:
    """What the probabilities of a manifest's utterances come to, speaker by speaker."""
    predicted = probabilities.argmax(axis=1)
    true = np.array([manifest.label_index(utterance) for utterance in manifest.utterances])
    speakers = np.array([utterance.speaker for utterance in manifest.utterances])
    groups = [speakers == name for name in manifest.speakers]
    return [Confusion.of(manifest.labels, true[group], predicted[group]) for group in groups]
