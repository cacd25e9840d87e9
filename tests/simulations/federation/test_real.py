"""Recognizers that saw the real speech: a fold each, kept once trained, the same in one process and in several."""

import json
import time

import numpy as np
import pytest

from common.corpora import read_corpus
from common.features.scaling import Scaling
from simulations.federation.real import train_on_real, training_on_real_when_idle

RIGHT = [[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, 2]]


@pytest.fixture(scope="module")
def manifest(config, speech):
    return read_corpus("table", speech, emotions=config.corpus.emotions)


@pytest.fixture(scope="module")
def real(config, manifest, tmp_path_factory):
    """Confusions of recognizers that were trained on the speech itself, and where they were."""
    run = tmp_path_factory.mktemp("run")
    told = []
    counts = train_on_real(config, manifest, Scaling(-16.0, 4.0), run, lambda done, total: told.append((done, total)))
    assert told == [(number, 5) for number in range(6)]
    return run, counts


def test_real_speech_is_left_out_session_by_session_and_counted_by_speaker(real, manifest):
    run, counts = real
    assert list(counts) == list(manifest.sessions)
    assert [np.sum(matrices, axis=(1, 2)).tolist() for matrices in counts.values()] == [[4, 4]] * 5
    assert sorted(path.name for path in (run / "real").iterdir()) == [f"{name}.json" for name in manifest.sessions]


def test_a_fold_that_is_counted_is_not_trained_again(real, config, manifest):
    run, counts = real
    path = run / "real" / "Session2.json"
    path.write_text(json.dumps({"counts": [RIGHT]}))
    again = train_on_real(config, manifest, Scaling(-16.0, 4.0), run, lambda *_: None)
    assert again == counts | {"Session2": [RIGHT]}


@pytest.mark.parametrize("damage", ["{", "[]", '{"counts": [[[1]]]}', '{"counts": 3}'])
def test_a_fold_whose_counts_cannot_be_read_is_trained_again(real, config, manifest, monkeypatch, damage):
    run, _ = real
    path = run / "real" / "Session2.json"
    path.write_text(damage)
    trained = []

    def train(training, fold, runtime):
        trained.append(fold.name)
        training.path(fold).write_text(json.dumps({"counts": [RIGHT]}))

    monkeypatch.setattr("simulations.federation.real.RealTraining.train", train)
    again = train_on_real(config, manifest, Scaling(-16.0, 4.0), run, lambda *_: None)
    assert trained == ["Session2"]
    assert again["Session2"] == [RIGHT]


def test_folds_trained_at_once_in_processes_of_their_own_count_the_same(real, config, manifest, tmp_path):
    two = config.model_copy(update={"runtime": config.runtime.model_copy(update={"threads": 2})})
    _, counts = real
    at_once = train_on_real(two, manifest, Scaling(-16.0, 4.0), tmp_path, lambda *_: None)
    assert at_once == counts


def test_what_is_trained_while_idle_counts_the_same_and_is_not_trained_again(real, config, manifest, tmp_path):
    first = tmp_path / "real" / f"{manifest.sessions[0]}.json"
    deadline = time.monotonic() + 200
    with training_on_real_when_idle(config, manifest, Scaling(-16.0, 4.0), tmp_path):
        while not first.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
    trained = first.stat().st_mtime_ns
    assert train_on_real(config, manifest, Scaling(-16.0, 4.0), tmp_path, lambda *_: None) == real[1]
    assert first.stat().st_mtime_ns == trained
