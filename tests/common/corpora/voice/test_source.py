"""Pulses come at the pitch that was asked for, as regular as was asked for, and never alias."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.corpora.voice.source import breath_source, glottal_pulses, hiss_source, voiced_source
from common.seeds import numpy_stream

RATE = 16_000


def steady(hertz, seconds=1.0):
    return np.full(round(seconds * RATE), float(hertz))


def spectrum(wave):
    return np.abs(np.fft.rfft(wave * np.hanning(len(wave))))


def pulse_times(pulses):
    """Centres of gravity of the peaks, in samples."""
    peaks = np.flatnonzero((pulses[1:-1] > 0.4) & (pulses[1:-1] >= pulses[:-2]) & (pulses[1:-1] > pulses[2:])) + 1
    before, at, after = pulses[peaks - 1], pulses[peaks], pulses[peaks + 1]
    return peaks + 0.5 * (before - after) / (before - 2 * at + after)


@given(hertz=st.floats(70, 420))
def test_a_steady_pitch_gives_its_harmonics_and_nothing_between_them(hertz):
    levels = spectrum(glottal_pulses(steady(hertz), numpy_stream("steady")))
    harmonics = np.arange(1, int(6000 / hertz)) * hertz
    on = levels[np.rint(harmonics).astype(int)]
    between = levels[np.rint(harmonics + hertz / 2).astype(int)]
    assert np.median(on) > 100 * np.median(between)
    assert levels[30:5000].argmax() + 30 == pytest.approx(
        hertz * np.rint((levels[30:5000].argmax() + 30) / hertz), abs=2
    )


@given(low=st.floats(80, 150), high=st.floats(160, 400))
def test_a_glide_has_as_many_pulses_as_its_mean_pitch_says(low, high):
    pitch = np.linspace(low, high, RATE)
    assert len(pulse_times(glottal_pulses(pitch, numpy_stream("glide")))) == pytest.approx((low + high) / 2, abs=2)


@pytest.mark.parametrize("jitter", [0.005, 0.02])
def test_jitter_moves_pulses_by_what_was_asked(jitter):
    times = pulse_times(glottal_pulses(steady(100, 8.0), numpy_stream("jitter"), jitter=jitter))
    # each interval differs by two independent displacements
    assert np.diff(times).std() / 160 == pytest.approx(np.sqrt(2) * jitter, rel=0.15)


def test_without_jitter_every_cycle_is_as_long_as_the_next():
    times = pulse_times(glottal_pulses(steady(101, 2.0), numpy_stream("even")))
    assert np.diff(times).std() < 0.25  # of a sample, which is what the parabola errs by


def test_shimmer_changes_heights_and_leaves_times_alone():
    even = glottal_pulses(steady(100, 4.0), numpy_stream("even"))
    shimmering = glottal_pulses(steady(100, 4.0), numpy_stream("shimmer"), shimmer=0.2)
    at = np.flatnonzero(even > 0.9)
    assert shimmering[at].std() == pytest.approx(0.2, rel=0.15)
    assert even[at].std() < 1e-9


def test_a_tense_voice_is_brighter_than_a_lax_one():
    def share_above_two_kilohertz(corner):
        levels = spectrum(voiced_source(steady(120), numpy_stream("voice"), corner=corner)) ** 2
        return levels[2000:].sum() / levels.sum()

    shares = [share_above_two_kilohertz(corner) for corner in (300, 1000, 4000)]
    assert shares[0] < shares[1] / 2 < shares[2] / 4


def test_breath_swells_with_the_cycle():
    power = breath_source(steady(100, 4.0), numpy_stream("breath")) ** 2
    levels = spectrum(power - power.mean())
    assert levels[380:420].max() > 10 * np.median(levels)  # 4 s: bin 400 is 100 Hz


def test_hiss_is_weak_in_the_low_frequencies():
    levels = spectrum(hiss_source(RATE, numpy_stream("hiss"))) ** 2
    assert levels[4000:].mean() > 20 * levels[:1000].mean()


@pytest.mark.parametrize(
    "make", [lambda s: voiced_source(steady(110), s, corner=900.0), lambda s: breath_source(steady(110), s)]
)
def test_every_source_has_unit_power_and_repeats_from_its_seed(make):
    once, again, other = make(numpy_stream("a")), make(numpy_stream("a")), make(numpy_stream("b", 1))
    assert np.mean(once**2) == pytest.approx(1)
    assert np.array_equal(once, again)
    assert other.shape == once.shape
