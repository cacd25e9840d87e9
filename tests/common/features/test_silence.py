"""Silence at both ends goes; what cannot be heard is named."""

import numpy as np
import pytest

from common.features.silence import fault_of, trimmed
from common.seeds import numpy_stream

RATE = 16_000


def speech(seconds: float = 1.0, before: float = 0.0, after: float = 0.0, hiss: float = 1e-4) -> np.ndarray:
    chance = numpy_stream("silence")
    parts = [hiss * chance.standard_normal(int(RATE * before)), 0.1 * chance.standard_normal(int(RATE * seconds))]
    return np.concatenate([*parts, hiss * chance.standard_normal(int(RATE * after))]).astype(np.float32)


@pytest.mark.parametrize(("before", "after"), [(1.0, 1.0), (0.5, 0.0), (0.0, 2.0)])
def test_silence_at_both_ends_goes_and_a_margin_of_50_ms_stays(before: float, after: float) -> None:
    kept = len(trimmed(speech(1.0, before, after), 40)) / RATE
    assert 1.0 <= kept <= 1.0 + 0.14


def test_a_pause_within_stays() -> None:
    both = np.concatenate([speech(0.5, after=1.0), speech(0.5)])
    assert len(trimmed(both, 40)) >= 1.99 * RATE


def test_nothing_is_trimmed_where_nothing_is_to_be() -> None:
    waveform = speech(0.5, 0.5, 0.5)
    assert trimmed(waveform, 0) is waveform


def test_what_is_not_so_far_below_is_no_silence() -> None:
    waveform = speech(0.5, 0.5, 0.5, hiss=0.01)
    assert len(trimmed(waveform, 40)) == len(waveform)
    assert len(trimmed(waveform, 10)) < len(waveform)


def test_usual_speech_has_no_fault() -> None:
    assert fault_of(speech()) == ""


@pytest.mark.parametrize(
    ("waveform", "word"),
    [
        (speech(0.09), "too short"),
        (np.zeros(RATE, np.float32), "silent"),
        (np.zeros(0, np.float32), "silent"),
        ((1e-4 * speech()).astype(np.float32), "silent"),
        (np.clip(40 * speech(), -1, 1), "clipped"),
    ],
)
def test_what_cannot_be_heard_is_named(waveform: np.ndarray, word: str) -> None:
    assert fault_of(waveform).startswith(word)
