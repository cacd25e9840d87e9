"""A recognizer tried on a site's own speech: confusion counts and nothing else come of it, each once.

Owns how counts are made from predictions at a site, their noise, and the answers that were given. Must not know what a
policy allows of them.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from client.dice import Dice
from client.door import Door
from common.config.tree import Config, RecognizerConfig, RuntimeConfig
from common.features.scaling import Scaling
from common.files import atomic_json
from common.networks import load_learned
from common.networks.acceleration import Acceleration
from common.scoring import Confusion
from common.training.phases import Interrupted
from common.training.recognizer import new_recognizer, predict
from common.wire import Code, Refused, Score

SCORINGS = "scorings"
Counts = tuple[tuple[tuple[int, ...], ...], ...]
"""Matrices of rows of counts."""


def score(request: Score, door: Door, runtime: RuntimeConfig, seconds: float) -> Counts:
    """One matrix [true][predicted] of counts, or one a speaker, in an order that tells no name."""
    wanted = request.scoring
    config = Config(
        features=door.feature_settings,
        network=wanted.network,
        recognizer=RecognizerConfig(window_hop=wanted.window_hop, bands=wanted.bands),
        runtime=runtime,
    )
    recognizer = new_recognizer(config)
    load_learned(recognizer, request.recognizer)
    recognizer = Acceleration.from_runtime(runtime).prepare(recognizer)
    scaling = Scaling(wanted.scaling.low, wanted.scaling.high)
    deadline = time.monotonic() + seconds
    try:
        probabilities = predict(
            recognizer, door.features, door.manifest, scaling, config, lambda: time.monotonic() > deadline
        )
    except Interrupted:
        raise Refused(Code.TOO_LONG, where=f"{seconds / 60:.0f} minutes spent") from None
    return counts_of(door, probabilities.argmax(axis=1), per_speaker=wanted.per_speaker)


def counts_of(door: Door, predicted: np.ndarray, *, per_speaker: bool) -> Counts:
    """Counts from predicted classes, one an utterance of the door's manifest."""
    manifest = door.manifest
    true = np.array([manifest.label_index(utterance) for utterance in manifest.utterances])
    speakers = np.array([utterance.speaker for utterance in manifest.utterances])
    groups = [speakers == name for name in manifest.speakers] if per_speaker else [np.full(len(true), True)]
    confusions = [Confusion.of(manifest.labels, true[group], predicted[group]) for group in groups]
    return _plain([confusion.counts for confusion in confusions])


def noised(counts: Counts, epsilon: float, dice: Dice, work: str) -> Counts:
    """Counts with two-sided geometric noise (Ghosh et al. 2009), drawn once for a piece of work.

    One recording more or less changes one count by one, so all counts together are epsilon-differentially private in
    one recording. Nothing is cut at zero: sums over sites would lean.
    """
    stream = np.random.Generator(np.random.Philox(dice.scoring(work)))
    shape, chance = np.shape(counts), 1 - math.exp(-epsilon)
    return _plain(np.array(counts) + stream.geometric(chance, shape) - stream.geometric(chance, shape))


def given_once(
    state: Path, work: str, epsilon: float | None, make: Callable[[], Counts]
) -> tuple[float | None, Counts]:
    """The answer to a piece of work, and the epsilon of its noise.

    What was given before is given again, whatever the speech or the policy has become since.
    """
    path = state / SCORINGS / f"{hashlib.sha256(work.encode()).hexdigest()}.json"
    if path.exists():
        given = json.loads(path.read_text(encoding="utf-8"))
        return given["epsilon"], _plain(given["counts"])
    counts = make()
    atomic_json(path, {"epsilon": epsilon, "counts": counts})
    return epsilon, counts


def _plain(matrices: object) -> Counts:
    """As they are told: sorted by their own numbers, for the order of speakers' names would be one more thing told."""
    return tuple(sorted(tuple(tuple(int(n) for n in row) for row in matrix) for matrix in np.asarray(matrices)))
