"""From a speaker and a delivery to a dry waveform: syllables, their timing and melody, source and filter.

Owns prosody. Must not know emotions: a delivery is all that it hears of one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from common.corpora.voice.phones import MEAN_WORD, Phone, Syllable, syllables
from common.corpora.voice.source import Signal, breath_source, hiss_source, voiced_source
from common.corpora.voice.tract import STEP, resonate
from common.space import SAMPLE_RATE

_STEPS_PER_SECOND = SAMPLE_RATE / STEP
_UPPER_FORMANTS = (3500.0, 4500.0, 5500.0, 6500.0)
_WIDTHS = (70.0, 90.0, 130.0, 190.0, 260.0, 350.0, 450.0)
_MARGIN = (0.06, 0.14)  # seconds of silence before and after
_PAUSE = (0.08, 0.28)  # seconds
_HIGHEST = 7600.0  # a resonance at the Nyquist frequency would fold


@dataclass(frozen=True, slots=True)
class Speaker:
    """A body: habitual pitch in hertz, formants relative to an average man's, irregularity of the folds."""

    pitch: float
    formant_scale: float
    jitter: float = 0.01
    shimmer: float = 0.06


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one utterance is said, whoever says it."""

    pitch: float = 0.0  # semitones above the speaker's habit
    range: float = 4.0  # semitones, the height of an accent
    slope: float = -2.0  # semitones a second over the utterance
    finale: float = -2.0  # semitones at its last syllable
    tempo: float = 4.6  # syllables a second, pauses apart
    level: float = -34.0  # decibels of full scale
    brightness: float = 10.0  # octaves above one hertz: the corner of the folds' low-pass
    breath: float = -18.0  # decibels of breath against voice
    pauses: float = 0.25  # chance of a pause after a word


@dataclass(frozen=True, slots=True)
class _Score:
    """An utterance laid out in time: which phone sounds at each step, and where accents fall (in steps)."""

    phones: tuple[Phone, ...]
    at_step: NDArray[np.int64]
    accents: Signal
    last_onset: float


_SILENCE = Phone((500.0, 1500.0, 2500.0), length=0.0)


def speak(speaker: Speaker, delivery: Delivery, seconds: float, stream: np.random.Generator) -> Signal:
    """About `seconds` of random syllables, dry and clean, at the delivery's level."""
    syllable_seconds = 1 / delivery.tempo + delivery.pauses * _mean(_PAUSE) / MEAN_WORD
    count = round((seconds - 2 * _mean(_MARGIN)) / syllable_seconds)
    string = syllables(max(2, count), stream)
    score = _lay_out(string, delivery, stream)
    pitch = _at_samples(_melody(score, speaker, delivery, stream))
    voice, breath, hiss = (_at_samples(track) for track in _amplitudes(score, delivery, stream))
    corner = 2.0**delivery.brightness
    buzz = voiced_source(pitch, stream, corner=corner, jitter=speaker.jitter, shimmer=speaker.shimmer)
    formants, widths = _formants(score, speaker, delivery)
    excitation = voice * buzz + breath * breath_source(pitch, stream)
    passages, spreads = _passages(score, speaker)
    wave = resonate(excitation, formants, widths) + resonate(hiss * hiss_source(len(pitch), stream), passages, spreads)
    sounding = voice > 0.1 * voice.max()
    loudness = float(np.sqrt(np.mean(wave[sounding] ** 2)))
    return wave * (10 ** (delivery.level / 20) / loudness)


def _lay_out(string: tuple[Syllable, ...], delivery: Delivery, stream: np.random.Generator) -> _Score:
    """Give every phone its time; the last syllable is drawn out, as phrases end."""
    stretches = stream.uniform(0.8, 1.2, len(string)) * [1.15 if syllable.stressed else 0.95 for syllable in string]
    stretches[-1] *= 1.4
    weights = [sum(phone.length for phone in syllable.phones) for syllable in string]
    stretches *= len(string) / (delivery.tempo * (stretches @ weights))
    phones, lengths = [_SILENCE], [stream.uniform(*_MARGIN)]
    accented: list[int] = []
    last_phone = 0
    for syllable, stretch in zip(string, stretches, strict=True):
        if syllable.stressed:
            accented.append(len(phones) + syllable.nucleus)
        last_phone = len(phones)
        phones += syllable.phones
        lengths += [stretch * phone.length for phone in syllable.phones]
        if syllable.ends_word and syllable is not string[-1] and stream.random() < delivery.pauses:
            phones.append(_SILENCE)
            lengths.append(stream.uniform(*_PAUSE))
    phones.append(_SILENCE)
    lengths.append(stream.uniform(*_MARGIN))
    ends = np.cumsum(lengths) * _STEPS_PER_SECOND
    starts = np.append(0, ends[:-1])
    at_step = np.searchsorted(ends, np.arange(round(ends[-1])), side="right")
    return _Score(tuple(phones), at_step, (starts + ends)[accented] / 2, starts[last_phone])


def _melody(score: _Score, speaker: Speaker, delivery: Delivery, stream: np.random.Generator) -> Signal:
    """Hertz at each step: a sloping line, an accent on each stressed vowel, a turn at the end, a little wander."""
    steps = np.arange(len(score.at_step))
    semitones = delivery.pitch + delivery.slope * (steps - steps.mean()) / _STEPS_PER_SECOND
    heights = delivery.range * stream.uniform(0.5, 1.5, len(score.accents))
    width = 0.09 * _STEPS_PER_SECOND
    semitones += heights @ np.exp(-0.5 * ((steps - score.accents[:, None]) / width) ** 2)
    ending = np.clip((steps - score.last_onset) / (len(steps) - score.last_onset), 0, 1)
    semitones += delivery.finale * ending
    wander = _smooth(stream.standard_normal(len(steps)), 0.06)
    semitones += 0.4 * wander / wander.std()
    hertz: Signal = speaker.pitch * 2 ** (np.clip(semitones, -12, 18) / 12)
    return hertz


def _amplitudes(score: _Score, delivery: Delivery, stream: np.random.Generator) -> tuple[Signal, Signal, Signal]:
    """Voice, breath and hiss at each step; accents are louder and the end is softer."""
    voice, breath, hiss = (
        np.array([getattr(phone, name) for phone in score.phones])[score.at_step]
        for name in ("voice", "breath", "hiss")
    )
    steps = np.arange(len(score.at_step))
    bumps = np.exp(-0.5 * ((steps - score.accents[:, None]) / (0.12 * _STEPS_PER_SECOND)) ** 2).sum(axis=0)
    loudness = 10 ** ((4 * np.minimum(bumps, 1) - 4 * steps / len(steps)) / 20)
    voice = _smooth(voice * loudness, 0.010)
    breath = _smooth(breath * loudness, 0.010)
    hiss = _smooth(hiss * loudness, 0.005)
    return voice, breath + voice * 10 ** (delivery.breath / 20), hiss


def _formants(score: _Score, speaker: Speaker, delivery: Delivery) -> tuple[Signal, Signal]:
    """Formants that glide between targets and never quite reach them in fast speech; breath widens them."""
    lower = np.array([phone.formants for phone in score.phones])[score.at_step]
    upper = np.broadcast_to(_UPPER_FORMANTS, (len(lower), len(_UPPER_FORMANTS)))
    targets = speaker.formant_scale * np.concatenate([lower, upper], axis=1)
    centres = np.minimum(_smooth(targets, 0.020), _HIGHEST)
    widening = 1 + 10 ** (delivery.breath / 20)
    return centres, np.broadcast_to(widening * np.array(_WIDTHS), centres.shape)


def _passages(score: _Score, speaker: Speaker) -> tuple[Signal, Signal]:
    """The resonance of a fricative's narrow passage, and its bandwidth."""
    passages = np.array([phone.passage for phone in score.phones])[score.at_step, None]
    spreads = np.array([phone.spread for phone in score.phones])[score.at_step, None]
    return np.minimum(speaker.formant_scale * passages, _HIGHEST), spreads


def _mean(bounds: tuple[float, float]) -> float:
    return sum(bounds) / 2


def _smooth(track: Signal, seconds: float) -> Signal:
    """A track of steps blurred by a Gaussian of this deviation."""
    smoothed: Signal = gaussian_filter1d(track, seconds * _STEPS_PER_SECOND, axis=0, mode="nearest")
    return smoothed


def _at_samples(track: Signal) -> Signal:
    """A track of steps, drawn through at every sample; its last value is held."""
    ramp = np.arange(STEP) / STEP
    rise = np.diff(track, append=track[-1])
    return (track[:, None] + rise[:, None] * ramp).ravel()
