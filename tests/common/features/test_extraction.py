"""Whoever decodes and extracts, the log-mels are the same."""

import errno
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest
import soundfile
import torch

from common.corpora import audio
from common.corpora.manifest import BadFile
from common.errors import UserError
from common.features import extraction
from common.features.cache import features_for
from common.features.extraction import extract


@pytest.fixture
def alone(manifest, config, runtime) -> list:
    return list(extract(manifest, config, runtime))


def test_other_processes_extract_what_this_one_does_bit_by_bit(manifest, config, runtime, alone, monkeypatch):
    monkeypatch.setattr(extraction, "WORTH_PROCESSES", 0.0)
    monkeypatch.setattr(extraction, "_CHUNK", 3)
    many = list(extract(manifest, config, runtime.model_copy(update={"workers": 2})))
    assert all(np.array_equal(one, other) for one, other in zip(many, alone, strict=True))


def test_decoders_beside_a_gpu_keep_the_order_and_name_the_bad(manifest, config, alone):
    (manifest.root / "2.wav").write_bytes(b"")
    many = list(extraction._beside_decoders(manifest.root, manifest.utterances, config, "cpu", 2))
    assert isinstance(many[2], BadFile)
    assert all(np.array_equal(many[place], alone[place]) for place in (0, 1, 3, 4, 5, 6, 7))


def test_silence_at_both_ends_is_cut_off_where_it_is_asked_for(manifest, config, runtime, alone):
    silence = np.zeros(16_000, np.float32)
    for one in manifest.utterances:
        speech, rate = soundfile.read(manifest.root / one.file, dtype="float32")
        soundfile.write(manifest.root / one.file, np.concatenate((silence, speech, silence)), rate)
    padded = list(extract(manifest, config, runtime))
    cut = list(extract(manifest, config.model_copy(update={"trim": 40.0}), runtime))
    for whole, more, less in zip(alone, padded, cut, strict=True):
        assert more.shape[1] >= whole.shape[1] + 124
        assert abs(less.shape[1] - whole.shape[1]) <= 8, "but for a margin of 50 ms"


def test_features_that_are_not_trimmed_are_named_as_before_there_was_a_trim(config):
    assert "trim" not in config.model_dump()
    assert config.model_copy(update={"trim": 40.0}).model_dump()["trim"] == 40.0


def test_what_only_the_machine_is_to_blame_for_is_no_verdict_on_a_file(manifest, config, runtime, monkeypatch):
    def crowded(path):
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(audio, "_check_wav_length", crowded)
        with pytest.raises(UserError, match="Too many open files"):
            features_for(manifest, config, runtime, skip_bad=True)
    assert len(features_for(manifest, config, runtime, skip_bad=True).manifest.utterances) == len(manifest.utterances)


def test_the_threads_of_this_process_are_given_back(manifest, config, runtime):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert len(list(extract(manifest, config, runtime))) == 8
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_little_speech_starts_no_process(manifest, config, runtime, monkeypatch):
    monkeypatch.setattr(extraction, "ProcessPoolExecutor", None)
    assert len(list(extract(manifest, config, runtime.model_copy(update={"workers": 2})))) == 8


def test_a_process_that_is_killed_is_reported_with_what_to_do(manifest, config, runtime, monkeypatch):
    class Killed(extraction.ProcessPoolExecutor):
        def map(self, *arguments):
            raise BrokenProcessPool("A process in the process pool was terminated abruptly")

    monkeypatch.setattr(extraction, "WORTH_PROCESSES", 0.0)
    monkeypatch.setattr(extraction, "ProcessPoolExecutor", Killed)
    with pytest.raises(UserError, match=r"was killed.*lower runtime\.workers"):
        list(extract(manifest, config, runtime.model_copy(update={"workers": 2})))
