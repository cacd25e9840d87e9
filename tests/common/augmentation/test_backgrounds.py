"""A folder of noises, or babble; what has no sound is one clear error."""

import numpy as np
import pytest
import soundfile

from common.augmentation.backgrounds import VOICES, Babble, Noises
from common.errors import UserError
from common.space import SAMPLE_RATE


def tone(hertz, seconds=0.5, level=0.2):
    return (level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE)).astype(np.float32)


def heard(sound):
    """Frequencies that stand out, to 20 Hz."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    peaks = np.flatnonzero(spectrum > 0.3 * spectrum.max()) * SAMPLE_RATE / len(sound)
    return {int(round(peak / 20) * 20) for peak in peaks}


def piece(background, seed=0, samples=16_000):
    return background.take(samples, np.random.default_rng(seed))


def test_every_noise_below_a_folder_is_used_and_what_is_no_sound_is_passed_over(tmp_path):
    (tmp_path / "inner").mkdir()
    soundfile.write(tmp_path / "a.wav", tone(400), SAMPLE_RATE)
    soundfile.write(tmp_path / "inner" / "b.FLAC", tone(900), SAMPLE_RATE)
    soundfile.write(tmp_path / "silent.wav", np.zeros(1000), SAMPLE_RATE)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    (tmp_path / "licence.txt").write_text("of the noises")
    noises = Noises.of_folder(tmp_path)
    assert len(noises.sounds) == 2
    assert {frequency for seed in range(9) for frequency in heard(piece(noises, seed))} == {400, 900}


@pytest.mark.parametrize("samples", [800, 16_000])
def test_a_piece_has_the_length_that_is_asked_for_and_starts_anywhere(samples):
    noises = Noises((np.random.default_rng(0).normal(size=5000).astype(np.float32),))
    one, other = (piece(noises, seed, samples) for seed in (0, 1))
    assert len(one) == len(other) == samples
    assert not np.array_equal(one, other)
    assert np.array_equal(one, piece(noises, 0, samples))


def test_no_piece_is_silent_however_little_sound_there_is():
    mostly = np.zeros(100_000, dtype=np.float32)
    mostly[77_777] = 0.5
    assert all(piece(Noises((mostly,)), seed, samples=10).any() for seed in range(20))


def test_babble_is_several_speakers_at_once_equally_loud_and_nobody_twice():
    hertz = [300, 500, 700, 1100, 1300, 1700, 2300]
    babble = Babble.of([tone(one, level=0.1 * (1 + place)) for place, one in enumerate(hertz)])
    for seed in range(5):
        assert len(heard(piece(babble, seed)) & set(hertz)) == VOICES
    assert {frequency for seed in range(9) for frequency in heard(piece(babble, seed))} >= set(hertz)


def test_too_few_speakers_are_refused_and_silent_ones_do_not_count():
    with pytest.raises(UserError, match="babble needs 5 speakers with sound, but there are 4"):
        Babble.of([tone(300)] * 4 + [np.zeros(100, dtype=np.float32)])


def test_a_folder_without_sound_is_one_clear_error(tmp_path):
    with pytest.raises(UserError, match=f"the folder of noises has no sound: {tmp_path}; it should hold"):
        Noises.of_folder(tmp_path)
    soundfile.write(tmp_path / "silent.wav", np.zeros(1000), SAMPLE_RATE)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    with pytest.raises(UserError, match="has no sound"):
        Noises.of_folder(tmp_path)
    with pytest.raises(UserError, match="no such folder of noises"):
        Noises.of_folder(tmp_path / "none")
