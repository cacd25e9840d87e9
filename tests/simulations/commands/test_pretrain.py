"""`eyesoff pretrain`, as a person runs and stops it."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

SETTINGS = [
    "network.width=0.015625",
    "pretraining.autoencoder.iterations=1000000",
    "pretraining.autoencoder.batch=1",
    "runtime.device=cpu",
    "runtime.threads=1",
    "runtime.workers=1",
]


@pytest.fixture
def root(tmp_path):
    place = tmp_path / "LibriSpeech" / "train-clean-100" / "19" / "198"
    place.mkdir(parents=True)
    soundfile.write(place / "19-198-0000.flac", np.random.default_rng(0).normal(0, 0.05, 40_000), 16_000)
    return tmp_path / "LibriSpeech"


def start(root, tmp_path, *more):
    words = [sys.executable, "-m", "simulations.cli", "pretrain", "--preset", "demo", "--corpus", "librispeech"]
    words += ["--root", str(root), "--run", str(tmp_path / "run"), "--set", f"runtime.cache={tmp_path / 'cache'}"]
    for setting in SETTINGS:
        words += ["--set", setting]
    # One report would come after fifty steps; the bar is not drawn where there is no terminal.
    return subprocess.Popen([*words, *more], stderr=subprocess.PIPE, text=True, env={**os.environ})


def test_a_terminated_run_keeps_its_step_says_so_and_leaves_with_143(root, tmp_path):
    process = start(root, tmp_path)
    log = tmp_path / "run" / "log.txt"
    deadline = time.monotonic() + 200
    while not (log.exists() and "autoencoder: from step 0" in log.read_text()):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=200)[1]
    assert process.returncode == 143
    assert "--resume" in said.splitlines()[-1]
    assert len(list((tmp_path / "run" / "checkpoints" / "autoencoder").glob("[0-9]*"))) == 1


@pytest.mark.slow
def test_a_second_run_in_the_same_directory_is_one_line_and_status_2(root, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("years of work")
    process = start(root, tmp_path)
    said = process.communicate(timeout=200)[1]
    assert process.returncode == 2
    assert said.splitlines()[-1].startswith("error: the run directory holds something else")
