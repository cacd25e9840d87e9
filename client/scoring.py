"""A recognizer tried on a site's own speech: confusion counts and nothing else come of it.

Owns how counts are made from predictions at a site. Must not know what a policy allows of them.
"""

import numpy as np

from client.door import Door
from common.config.tree import Config, RecognizerConfig, RuntimeConfig
from common.features.scaling import Scaling
from common.networks.acceleration import Acceleration
from common.scoring import Confusion
from common.training.recognizer import new_recognizer, predict
from common.wire import Score

Counts = tuple[tuple[tuple[int, ...], ...], ...]
"""Matrices of rows of counts."""


def score(request: Score, door: Door, runtime: RuntimeConfig) -> Counts:
    """One matrix [true][predicted] of counts, or one a speaker, in an order that tells no name."""
    wanted = request.scoring
    config = Config(
        features=door.feature_settings,
        network=wanted.network,
        recognizer=RecognizerConfig(window_hop=wanted.window_hop, bands=wanted.bands),
        runtime=runtime,
    )
    recognizer = new_recognizer(config)
    recognizer.load_state_dict(request.recognizer)
    recognizer = Acceleration.from_runtime(runtime).prepare(recognizer)
    scaling = Scaling(wanted.scaling.low, wanted.scaling.high)
    probabilities = predict(recognizer, door.features, door.manifest, scaling, config)
    return counts_of(door, probabilities.argmax(axis=1), per_speaker=wanted.per_speaker)


def counts_of(door: Door, predicted: np.ndarray, *, per_speaker: bool) -> Counts:
    """Counts from predicted classes, one an utterance of the door's manifest."""
    manifest = door.manifest
    true = np.array([manifest.label_index(utterance) for utterance in manifest.utterances])
    speakers = np.array([utterance.speaker for utterance in manifest.utterances])
    groups = [speakers == name for name in manifest.speakers] if per_speaker else [np.full(len(true), True)]
    confusions = [Confusion.of(manifest.labels, true[group], predicted[group]) for group in groups]
    matrices = [tuple(tuple(int(n) for n in row) for row in confusion.counts) for confusion in confusions]
    # Sorted by their own numbers: the order of speakers' names would be one more thing told.
    return tuple(sorted(matrices))
