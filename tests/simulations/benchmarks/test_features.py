"""The feature benchmark compares like with like and gives every contestant its turn."""

import numpy as np
import pytest
import soundfile
import torch

from common.config import FeatureConfig
from common.corpora.manifest import Manifest, Utterance
from simulations.benchmarks import features, vectors
from simulations.benchmarks.features import bench_features


@pytest.fixture
def manifest(tmp_path) -> Manifest:
    chance = np.random.default_rng(0)
    for number in range(6):
        soundfile.write(tmp_path / f"{number}.wav", 0.1 * chance.standard_normal(16_000), 16_000)
    utterances = tuple(Utterance(f"{number}.wav", "anna", "one", 1.0) for number in range(6))
    return Manifest("noise", tmp_path, ("neutral",), utterances)


def test_all_contestants_give_the_same_mels():
    waveform = (0.1 * np.random.default_rng(0).standard_normal(16_000)).astype(np.float32)
    contestants = features._contestants(FeatureConfig())
    ours = contestants["ours"](waveform).exp().numpy()
    np.testing.assert_allclose(contestants["librosa"](waveform), ours, rtol=1e-3)
    np.testing.assert_allclose(contestants["torchaudio"](waveform).numpy(), ours, rtol=1e-2)


def test_figures_say_how_much_speech_and_how_far_apart_the_rounds_were(manifest):
    figures = bench_features(manifest, seconds=3.0, rounds=3)
    assert (figures["utterances"], figures["seconds_of_speech"], figures["threads"]) == (3, 3.0, 1)
    for ratio in ("ratio_vs_librosa", "ratio_vs_torchaudio", "cache_speedup"):
        least, most = figures[f"{ratio}_range"]
        assert 0 < least <= figures[ratio] <= most


def test_vectors_are_counted_in_utterances_of_the_usual_length(manifest):
    found = bench_features(manifest, seconds=3.0, rounds=2)["vectors_a_second"]
    assert "functionals" in found
    for rate in found.values():
        least, most = rate["range"]
        assert 0 < least <= rate["median"] <= most
    assert vectors.rates({"one": [2.0, 4.0, 1.0]}, 28.0) == {"one": {"median": 5.0, "range": [2.5, 10.0]}}


def test_everyone_begins_a_round_in_turn_and_the_first_is_not_counted(monkeypatch):
    calls, clock = [], iter(range(1000))
    monkeypatch.setattr(features.time, "perf_counter", lambda: next(clock))
    contestants = {name: lambda waveform, name=name: calls.append(name) for name in "abc"}
    turns = features._alternate([np.zeros(1, np.float32)], contestants, rounds=2)
    assert "".join(calls) == "abcbcacab"
    assert turns == {name: [1, 1] for name in "abc"}


def test_a_ratio_is_the_median_of_rounds():
    compared = features._compare("ratio", [8.0, 4.0, 30.0], [2.0, 2.0, 3.0])
    assert compared == {"ratio": 4.0, "ratio_range": [2.0, 10.0]}


def test_threads_are_given_back():
    before = torch.get_num_threads()
    with features._threads(2):
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == before
