"""Tones whose pace, pitch and noise are known."""

import numpy as np
import pytest

from common.augmentation.plans import Changed, Plan
from common.augmentation.sounds import LOUDEST, change, changed_sounds, mixed, shifted, stretched
from common.errors import UserError
from common.space import SAMPLE_RATE


def tone(hertz=440.0, seconds=1.0, level=0.2):
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (level * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def loudest_frequency(sound):
    return np.abs(np.fft.rfft(sound)).argmax() * SAMPLE_RATE / len(sound)


def decibels(sound, changed):
    return 10 * np.log10(np.mean(sound**2.0) / np.mean((changed - sound) ** 2.0))


class Hum:
    """A background of one tone."""

    def take(self, samples, stream):
        return tone(1000, seconds=samples / SAMPLE_RATE + 1, level=0.01)[:samples]


def changed(kind, seed=0, sound=None):
    return change(tone() if sound is None else sound, kind, Hum(), np.random.default_rng(seed))


@pytest.mark.parametrize("rate", [0.8, 1.25])
def test_a_stretched_tone_is_longer_or_shorter_and_no_higher(rate):
    made = stretched(tone(), rate)
    assert len(made) == pytest.approx(SAMPLE_RATE / rate, rel=0.01)
    assert loudest_frequency(made) == pytest.approx(440, rel=0.01)


@pytest.mark.parametrize("semitones", [-2.0, 2.0])
def test_a_shifted_tone_is_higher_or_lower_and_no_longer(semitones):
    made = shifted(tone(), semitones)
    assert len(made) == SAMPLE_RATE
    assert loudest_frequency(made) == pytest.approx(440 * 2 ** (semitones / 12), rel=0.01)


@pytest.mark.parametrize("asked", [10.0, 25.0])
def test_noise_is_so_many_decibels_below_whatever_its_own_level(asked):
    noise = np.random.default_rng(0).normal(size=SAMPLE_RATE).astype(np.float32)
    for level in (0.001, 7.0):
        assert decibels(tone(), mixed(tone(), level * noise, asked)) == pytest.approx(asked, abs=0.01)


def test_chances_stay_within_their_ranges_and_use_them():
    lengths = [len(changed("TS", seed)) / SAMPLE_RATE for seed in range(30)]
    assert 0.79 < min(lengths) < 0.87
    assert 1.12 < max(lengths) < 1.26
    pitches = [12 * np.log2(loudest_frequency(changed("PS", seed)) / 440) for seed in range(30)]
    assert -2.1 < min(pitches) < -1.3
    assert 1.3 < max(pitches) < 2.1
    for kind in ("GN", "BN"):
        levels = [decibels(tone(), changed(kind, seed)) for seed in range(30)]
        assert 9.9 < min(levels) < 13
        assert 22 < max(levels) < 25.1


def test_background_is_the_one_that_is_handed_in_and_hiss_is_white():
    behind, hiss = (changed(kind) - tone() for kind in ("BN", "GN"))
    assert loudest_frequency(behind) == pytest.approx(1000, abs=2)
    spectrum = np.abs(np.fft.rfft(hiss)) ** 2
    assert spectrum[:4000].mean() == pytest.approx(spectrum[4000:].mean(), rel=0.1)


def test_what_would_be_too_loud_for_16_bits_is_turned_down():
    loud = changed("GN", sound=tone(level=1.0))
    assert np.abs(loud).max() == pytest.approx(LOUDEST)
    assert np.abs(changed("GN")).max() < 0.5


def test_a_plan_is_made_in_its_order_and_each_sound_by_chances_of_its_own():
    plan = Plan((0,), (Changed(1, "GN"), Changed(0, "TS"), Changed(1, "GN")))
    sounds = [tone(300), tone(600)]

    def made(plan):
        return list(changed_sounds(plan, sounds.__getitem__, Hum(), seed=0))

    first, second, third = made(plan)
    assert [round(loudest_frequency(one), -1) for one in (first, second, third)] == [600, 300, 600]
    assert not np.array_equal(first, third)
    assert np.array_equal(made(plan)[2], third)
    assert np.array_equal(made(Plan((), plan.changed[:1]))[0], first)


def test_silence_and_what_is_too_short_are_refused():
    with pytest.raises(UserError, match="silent from end to end"):
        changed("GN", sound=np.zeros(16_000, dtype=np.float32))
    for kind in ("TS", "PS"):
        with pytest.raises(UserError, match="100 samples is too short"):
            changed(kind, sound=tone()[:100])
