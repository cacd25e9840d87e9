"""A room lengthens, colours and hisses, and is the same room every time."""

import numpy as np

from common.corpora.voice import draw_room
from common.seeds import numpy_stream
from common.space import SAMPLE_RATE


def room(seed=0):
    return draw_room(numpy_stream(seed, "room"))


def click():
    wave = np.zeros(SAMPLE_RATE)
    wave[1000] = 100.0  # far above any noise floor
    return wave


def test_a_click_rings_on_and_dies_away():
    heard = room().record(click(), numpy_stream("noise")) ** 2
    assert heard[1000:1100].sum() > heard[1100:9000].sum() > 30 * heard[9000:].sum() > 0
    assert heard[:1000].max() < 1e-6 * heard.max()


def test_the_noise_floor_is_there_in_silence_and_far_below_speech():
    levels = []
    for seed in range(20):
        heard = room(seed).record(np.zeros(SAMPLE_RATE), numpy_stream("noise"))
        levels.append(20 * np.log10(np.sqrt(np.mean(heard**2))))
    assert -75 < min(levels) < max(levels) < -45


def test_the_channel_takes_away_the_lowest_and_the_highest():
    wave = numpy_stream("white").standard_normal(4 * SAMPLE_RATE)
    power = np.abs(np.fft.rfft(room().record(wave, numpy_stream("noise")))) ** 2
    low, middle, high = (power[4 * start : 4 * end].mean() for start, end in ((5, 30), (500, 2000), (7500, 8000)))
    assert middle > 4 * low
    assert middle > 1.5 * high


def test_rooms_differ_and_a_room_repeats():
    wave = click()
    first, again, other = (room(seed).record(wave, numpy_stream("noise")) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert np.abs(first - other).max() > 1
