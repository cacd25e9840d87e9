"""The sounds that the voice can make, and random strings of syllables made of them.

Owns the inventory. Must not know how long a sound lasts in an utterance, nor who says it.
"""

from dataclasses import dataclass, replace

import numpy as np

Formants = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Phone:
    """Targets that the tract moves towards: formants of an average man in hertz, amplitudes between 0 and 1."""

    formants: Formants
    length: float  # in parts of a vowel
    voice: float = 0.0
    breath: float = 0.0
    hiss: float = 0.0
    passage: float = 4000.0  # hertz of the hiss
    spread: float = 1500.0  # hertz of its bandwidth


@dataclass(frozen=True, slots=True)
class Syllable:
    """An onset, a vowel, a coda; `stressed` ones carry the accents, and `ends_word` ones may be followed by a pause."""

    phones: tuple[Phone, ...]
    nucleus: int
    stressed: bool
    ends_word: bool


def _vowel(first: float, second: float, third: float) -> Phone:
    return Phone((first, second, third), length=1.0, voice=1.0)


def _stop(formants: Formants, passage: float, hiss: float) -> tuple[Phone, ...]:
    closure = Phone(formants, length=0.5)
    burst = Phone(formants, length=0.14, hiss=hiss, passage=passage, spread=1200)
    return closure, burst, replace(closure, length=0.25, breath=0.35)


VOWELS = (
    _vowel(270, 2290, 3010),
    _vowel(390, 1990, 2550),
    _vowel(530, 1840, 2480),
    _vowel(660, 1720, 2410),
    _vowel(730, 1090, 2440),
    _vowel(640, 1190, 2390),
    _vowel(570, 840, 2410),
    _vowel(440, 1020, 2240),
    _vowel(300, 870, 2240),
)

_NASALS = (
    (Phone((250, 1000, 2200), length=0.5, voice=0.35),),
    (Phone((250, 1650, 2600), length=0.5, voice=0.35),),
)
_FRICATIVES = (
    (Phone((300, 1650, 2600), length=0.85, hiss=0.25, passage=5600, spread=1400),),
    (Phone((300, 1900, 2500), length=0.85, hiss=0.25, passage=3000, spread=900),),
    (Phone((300, 1100, 2200), length=0.7, hiss=0.06, passage=6500, spread=3500),),
    (Phone((280, 1650, 2600), length=0.6, voice=0.3, hiss=0.125, passage=5400, spread=1600),),
    (Phone((450, 1300, 2400), length=0.5, breath=0.4),),
)
_STOPS = (
    _stop((250, 800, 2200), passage=900, hiss=0.15),
    _stop((280, 1750, 2700), passage=4200, hiss=0.25),
    _stop((280, 1900, 2400), passage=2000, hiss=0.225),
)
_GLIDES = (
    (Phone((350, 1150, 2600), length=0.45, voice=0.5),),
    (Phone((290, 2150, 2900), length=0.4, voice=0.5),),
    (Phone((320, 750, 2200), length=0.4, voice=0.5),),
)
MEAN_WORD = 2  # syllables
ONSETS = (*_NASALS, *_FRICATIVES, *_STOPS, *_GLIDES)
CODAS = (*_NASALS, *_FRICATIVES[:3])


def syllables(count: int, stream: np.random.Generator) -> tuple[Syllable, ...]:
    """A string of `count` syllables in words of one to three, each word stressed once."""
    string: list[Syllable] = []
    while len(string) < count:
        size = int(stream.integers(1, 2 * MEAN_WORD))
        stress = int(stream.integers(size))
        for place in range(size):
            onset = ONSETS[stream.integers(len(ONSETS))] if stream.random() < 0.9 else ()
            coda = CODAS[stream.integers(len(CODAS))] if stream.random() < 0.25 else ()
            vowel = VOWELS[stream.integers(len(VOWELS))]
            string.append(
                Syllable((*onset, vowel, *coda), len(onset), stressed=place == stress, ends_word=place == size - 1)
            )
    return tuple(string[:count])
