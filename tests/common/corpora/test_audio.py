"""Decoding: any recording becomes 16 kHz mono, and a damaged one is named."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common.corpora.audio import AudioError, AudioInfo, load, probe
from common.corpora.parts import Part
from common.errors import UserError
from common.space import SAMPLE_RATE


def loudest_frequency(samples):
    return np.abs(np.fft.rfft(samples)).argmax() * SAMPLE_RATE / len(samples)


def refuse(path, reason):
    """Both looks agree, in one line that names the file."""
    for look in (probe, load):
        with pytest.raises(UserError, match=reason) as caught:
            look(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


def test_a_probe_reads_the_header(tmp_path, write_tone):
    path = write_tone(tmp_path / "a.wav", seconds=0.5, rate=44_100, channels=2)
    assert probe(path) == AudioInfo(seconds=0.5, rate=44_100, channels=2)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_any_rate_and_channel_count_becomes_16_khz_mono(tmp_path, write_tone, rate, channels, suffix):
    samples = load(write_tone(tmp_path / f"a.{suffix}", seconds=0.5, rate=rate, channels=channels))
    assert samples.shape == (8_000,)
    assert samples.dtype == np.float32
    assert loudest_frequency(samples) == pytest.approx(440, abs=2)
    assert np.abs(samples[1000:-1000]).max() == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize(
    ("subtype", "step"), [("PCM_U8", 2**-7), ("PCM_16", 2**-15), ("PCM_24", 2**-23), ("FLOAT", 1e-7), ("DOUBLE", 1e-7)]
)
def test_any_bit_depth_gives_the_same_wave(tmp_path, write_tone, subtype, step):
    reference = load(write_tone(tmp_path / "reference.wav", subtype="DOUBLE"))
    assert np.abs(load(write_tone(tmp_path / "a.wav", subtype=subtype)) - reference).max() <= 1.01 * step


def test_channels_are_averaged(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.tile([0.5, -0.25], (100, 1)), SAMPLE_RATE, subtype="FLOAT")
    assert load(tmp_path / "a.wav") == pytest.approx(np.full(100, 0.125))


def test_a_file_that_by_its_name_has_no_header_is_refused(tmp_path):
    (tmp_path / "a.raw").write_bytes(bytes(64))
    refuse(tmp_path / "a.raw", "no header")


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_a_missing_file_is_refused(tmp_path, suffix):
    refuse(tmp_path / f"a.{suffix}", "no such file")


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_a_file_of_no_bytes_is_refused(tmp_path, suffix):
    (tmp_path / f"a.{suffix}").touch()
    refuse(tmp_path / f"a.{suffix}", "empty")


def test_a_wav_of_no_samples_is_refused(tmp_path, write_tone):
    refuse(write_tone(tmp_path / "a.wav", seconds=0), "zero length")


def test_a_flac_of_no_samples_is_refused(tmp_path, write_tone):
    refuse(write_tone(tmp_path / "a.flac", seconds=0), "a.flac")


@pytest.mark.parametrize("suffix", ["wav", "flac"])
@pytest.mark.parametrize("left", [0.99, 0.5])
def test_a_truncated_file_is_refused(tmp_path, write_tone, suffix, left):
    path = write_tone(tmp_path / f"a.{suffix}", seconds=1)
    path.write_bytes(path.read_bytes()[: int(left * path.stat().st_size)])
    refuse(path, "truncated")


def test_a_wav_cut_within_its_header_is_refused(tmp_path, write_tone):
    path = write_tone(tmp_path / "a.wav")
    path.write_bytes(path.read_bytes()[:30])
    refuse(path, "truncated")


def test_a_wav_that_was_streamed_without_a_length_is_read(tmp_path, write_tone):
    path = write_tone(tmp_path / "a.wav")
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(content)
    assert len(load(path)) == 1600


def test_chunks_before_the_sound_are_passed_over(tmp_path, write_tone):
    path = write_tone(tmp_path / "a.wav")
    content = path.read_bytes()
    place = content.index(b"data")
    odd = b"LIST" + struct.pack("<I", 5) + b"data!" + b"\0"
    path.write_bytes(content[:place] + odd + content[place:])
    assert len(load(path)) == 1600


def test_a_file_that_holds_no_sound_is_refused(tmp_path):
    (tmp_path / "a.wav").write_text("a letter to a friend, long enough to be no header at all")
    refuse(tmp_path / "a.wav", "cannot be decoded")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused_when_loaded(tmp_path, value):
    samples = np.zeros(100)
    samples[50] = value
    soundfile.write(tmp_path / "a.wav", samples, SAMPLE_RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"a\.wav: holds samples that are not numbers") as caught:
        load(tmp_path / "a.wav")
    assert not caught.value.reason.startswith(str(tmp_path))


def test_a_folder_in_place_of_a_file_is_refused(tmp_path):
    (tmp_path / "a.wav").mkdir()
    refuse(Path(tmp_path / "a.wav"), "no such file")


@pytest.mark.parametrize("suffix", ["wav", "flac"])
@pytest.mark.parametrize("part", [Part(0, 0.25), Part(0.25, 0.5), Part(0.5), Part(0.75, 1.005)])
def test_a_part_is_what_the_whole_recording_has_there(tmp_path, suffix, part):
    soundfile.write(tmp_path / f"a.{suffix}", np.linspace(-0.5, 0.5, SAMPLE_RATE), SAMPLE_RATE)
    whole = load(tmp_path / f"a.{suffix}")
    first, last = round(part.start * SAMPLE_RATE), round((part.end or 1) * SAMPLE_RATE)
    assert np.array_equal(load(tmp_path / f"a.{suffix}", part), whole[first:last])


def test_a_part_of_another_rate_is_as_long_as_it_says(tmp_path, write_tone):
    assert len(load(write_tone(tmp_path / "a.wav", seconds=1, rate=44_100), Part(0.25, 0.75))) == SAMPLE_RATE // 2


def test_a_part_without_a_sample_is_refused(tmp_path, write_tone):
    with pytest.raises(AudioError, match="holds no samples in this part"):
        load(write_tone(tmp_path / "a.wav", seconds=1), Part(0.5, 0.50001))
