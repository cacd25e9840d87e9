"""Functionals: those of a plain reference, with names that say what they are."""

import numpy as np
import pytest

from common.features.functionals import NAMES, functionals
from common.features.functionals.descriptors import ALWAYS, describe
from common.seeds import numpy_stream
from tests.common.features.functionals.reference import vector

RATE = 16_000


def voice(hertz: float, seconds: float = 1.2, *, seed: int = 0, gain: float = 0.2) -> np.ndarray:
    """Harmonics that glide a little and swell, with pauses and a little breath."""
    time = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(hertz * (1 + 0.1 * np.sin(2 * np.pi * 1.3 * time))) / RATE
    tone = sum(np.sin(number * phase) / number for number in range(1, 9))
    swell = np.clip(np.sin(2 * np.pi * 1.7 * time) + 0.4, 0.01, None)
    breath = 0.01 * numpy_stream("voice", seed).standard_normal(len(time))
    return (gain * (tone * swell + breath)).astype(np.float32)


def named(waveform: np.ndarray) -> dict[str, float]:
    return dict(zip(NAMES, functionals(waveform).tolist(), strict=True))


def test_there_are_1715_numbers_each_with_a_name_of_its_own() -> None:
    assert len(NAMES) == len(set(NAMES)) == 1715
    assert functionals(voice(150)).shape == (1715,)
    assert functionals(voice(150)).dtype == np.float32


@pytest.mark.parametrize(("hertz", "seconds"), [(110, 1.2), (220, 0.7), (350, 1.0)])
def test_they_are_those_of_the_plain_reference(hertz: float, seconds: float) -> None:
    waveform = voice(hertz, seconds)
    plain, fast = vector(waveform), functionals(waveform)
    # Rounding in single precision is relative to what a descriptor is, not to what is left of it in a slope.
    worst = np.abs(fast - plain) / (1e-3 + np.abs(plain))
    assert {NAMES[number]: (fast[number], plain[number]) for number in np.flatnonzero(worst > 0.02)} == {}


def test_noise_has_the_numbers_of_the_plain_reference_too() -> None:
    waveform = (0.1 * numpy_stream("noise").standard_normal(8000)).astype(np.float32)
    plain, fast = vector(waveform), functionals(waveform)
    worst = np.abs(fast - plain) / (1e-3 + np.abs(plain))
    assert {NAMES[number]: (fast[number], plain[number]) for number in np.flatnonzero(worst > 0.02)} == {}


@pytest.mark.parametrize("hertz", [70, 110, 220, 440])
def test_pitch_is_heard_in_semitones_above_55_hertz(hertz: float) -> None:
    time = np.arange(RATE) / RATE
    tone = sum(np.sin(2 * np.pi * hertz * number * time) / number for number in range(1, 6))
    found = named((0.2 * tone).astype(np.float32))
    assert found["semitones.level.mean"] == pytest.approx(12 * np.log2(hertz / 55), abs=0.2)
    assert found["voiced.share"] == 1


def test_noise_has_no_voice_and_what_speaks_of_voice_is_zero() -> None:
    found = named((0.1 * numpy_stream("noise").standard_normal(RATE)).astype(np.float32))
    assert found["voiced.share"] == 0
    assert {value for name, value in found.items() if name.startswith("semitones")} == {0.0}


def test_ten_times_the_level_moves_the_energy_and_not_the_pitch() -> None:
    soft, loud = named(voice(150, gain=0.02)), named(voice(150, gain=0.2))
    assert loud["log_energy.level.mean"] - soft["log_energy.level.mean"] == pytest.approx(2 * np.log(10), abs=0.05)
    assert loud["semitones.level.mean"] == pytest.approx(soft["semitones.level.mean"], abs=0.01)


def test_a_glide_upwards_has_a_slope_and_its_reverse_the_opposite() -> None:
    time = np.arange(RATE) / RATE
    glide = (0.2 * np.sin(2 * np.pi * (120 * time + 60 * time**2))).astype(np.float32)
    up, down = named(glide), named(np.ascontiguousarray(glide[::-1]))
    assert up["semitones.level.slope"] > 0.05
    assert down["semitones.level.slope"] < -0.05


def test_duration_is_told_in_seconds() -> None:
    assert named(voice(150, 0.8))["duration"] == pytest.approx(0.8)


@pytest.mark.parametrize("samples", [800, 960, 1600])
def test_the_shortest_recordings_have_finite_numbers(samples: int) -> None:
    assert np.isfinite(functionals(voice(150)[:samples])).all()


def test_digital_silence_and_a_constant_are_finite() -> None:
    assert np.isfinite(functionals(np.zeros(RATE, np.float32))).all()
    assert np.isfinite(functionals(np.full(RATE, 0.5, np.float32))).all()


def test_the_same_waveform_gives_the_same_bits() -> None:
    waveform = voice(200)
    assert functionals(waveform).tobytes() == functionals(waveform.copy()).tobytes()


def test_a_descriptor_has_a_row_and_a_frame_a_column() -> None:
    described = describe(voice(150, 1.0))
    assert described.always.shape == (len(ALWAYS), 1 + (RATE - 800) // 160)
    assert described.voiced.shape == (3, described.is_voiced.sum())
