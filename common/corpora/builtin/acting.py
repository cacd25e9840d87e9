"""Who speaks in the built-in corpus, and what the four emotions do to how they speak.

Owns the cast, the emotions' effects and how widely they overlap. Must not know how a delivery becomes sound.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from common.corpora.manifest import Sex
from common.corpora.voice import Delivery, Speaker
from common.seeds import numpy_stream
from common.settings import EMOTIONS

Vector = NDArray[np.float64]

SESSIONS = tuple(f"Session{number}" for number in range(1, 6))
_SEXES: tuple[Sex, Sex] = ("female", "male")

_AVERAGE = Delivery()
_DEVIATION = Delivery(
    pitch=2.0, range=1.6, slope=1.4, finale=2.2, tempo=0.7, level=3.0, brightness=0.6, breath=4.0, pauses=0.15
)
_LEANING = {  # each emotion's effect at full intensity, in deviations and in the order of Delivery's fields
    "neutral": Delivery(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "angry": Delivery(1.1, 1.4, -1.1, -1.3, 1.2, 2.8, 2.8, -1.4, -0.7),
    "sad": Delivery(-1.2, -1.9, 0.0, -0.4, -2.4, -2.5, -2.2, 2.5, 1.7),
    "happy": Delivery(2.8, 2.4, 1.1, 1.4, 1.4, 1.5, 1.2, 0.6, -0.6),
}
_LEAST = Delivery(-8, 0.3, -8, -8, 2.6, -50, 8.0, -36, 0.0)
_MOST = Delivery(12, 12, 6, 8, 7.5, -20, 12.5, -3, 0.8)

# What makes the emotions overlap, in deviations: speakers differ in their everyday voice and in their way with an
# emotion, and an utterance departs from both, with anything from a hint of the emotion to all of it and more.
_HABIT = 0.3
_STYLE = 0.3
_WHIM = 0.8
_INTENSITY = (0.5, 1.2)


@dataclass(frozen=True)
class Actor:
    """One of the cast: a body, an everyday voice and a way with each emotion, the last two in deviations."""

    name: str
    session: str
    sex: Sex
    body: Speaker
    habit: Vector
    style: Mapping[str, Vector]


def cast(seed: int) -> tuple[Actor, ...]:
    """A woman and a man for each session."""
    return tuple(_draw_actor(seed, session, sex) for session in SESSIONS for sex in _SEXES)


def draw_delivery(actor: Actor, emotion: str, stream: np.random.Generator) -> Delivery:
    """How this actor says one utterance in this emotion."""
    leaning = np.array(astuple(_LEANING[emotion])) + actor.style[emotion]
    whim = _WHIM * stream.standard_normal(len(leaning))
    departure = actor.habit + stream.uniform(*_INTENSITY) * leaning + whim
    drawn = np.array(astuple(_AVERAGE)) + np.array(astuple(_DEVIATION)) * departure
    return Delivery(*np.clip(drawn, astuple(_LEAST), astuple(_MOST)))


def _draw_actor(seed: int, session: str, sex: Sex) -> Actor:
    name = session + sex[0].upper()
    stream = numpy_stream(seed, "builtin", "actor", name)
    pitches, scales = ((170, 235), (1.10, 1.20)) if sex == "female" else ((90, 140), (0.94, 1.05))
    body = Speaker(
        pitch=float(np.exp(stream.uniform(*np.log(pitches)))),
        formant_scale=stream.uniform(*scales),
        jitter=stream.uniform(0.004, 0.015),
        shimmer=stream.uniform(0.03, 0.1),
    )
    size = len(astuple(_AVERAGE))
    habit = _HABIT * stream.standard_normal(size)
    style = {emotion: _STYLE * stream.standard_normal(size) for emotion in EMOTIONS}
    return Actor(name, session, sex, body, habit, style)
