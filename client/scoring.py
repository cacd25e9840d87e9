"""A recognizer tried on a site's own speech: confusion counts and nothing else come of it, each once.

Owns how counts are made from predictions at a site, their noise, and the answers that were given. Must not know what a
policy allows of them.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from client.dice import Dice
from client.door import Door
from common.files import atomic_json
from common.networks.acceleration import Acceleration
from common.scoring import Confusion
from common.settings import RuntimeConfig
from common.training.phases import Interrupted
from common.wire import Code, Refused, Score

SCORINGS = "scorings"
Counts = tuple[tuple[tuple[int, ...], ...], ...]
"""Matrices of rows of counts."""


def score(request: Score, door: Door, runtime: RuntimeConfig, seconds: float) -> Counts:
    """One matrix [true][predicted] of counts, or one a speaker, in an order that tells no name."""
    wanted = request.scoring
    acceleration = Acceleration.of(runtime)
    with acceleration.entered():
        confusions = _confusions(request, door, acceleration, seconds)
    matrices = [confusion.counts for confusion in confusions]
    return _plain(matrices if wanted.per_speaker else [sum(matrices)])


def _confusions(request: Score, door: Door, acceleration: Acceleration, seconds: float) -> Sequence[Confusion]:
    wanted = request.scoring
    predictor = wanted.method.predictor(request.recognizer, wanted.own, wanted.space, len(wanted.labels), acceleration)
    deadline = time.monotonic() + seconds
    try:
        return door.confusions(predictor, wanted.space, wanted.scaling, lambda: time.monotonic() > deadline)
    except Interrupted:
        raise Refused(Code.TOO_LONG, where=f"{seconds / 60:.0f} minutes spent") from None


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
