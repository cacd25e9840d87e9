"""`eyesoff bench features`: what a person and a program read of it."""

import json

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from common.errors import UserError
from simulations.commands.bench import app


@pytest.fixture
def root(tmp_path):
    (tmp_path / "wav").mkdir()
    for name in ("03a01Wa", "08a01Ta", "10a01Na"):
        noise = 0.1 * np.random.default_rng(0).standard_normal(8000)
        soundfile.write(tmp_path / "wav" / f"{name}.wav", noise, 16_000)
    return tmp_path


def run(*words):
    return CliRunner().invoke(app, ["features", *map(str, words)])


def test_json_is_one_object_with_the_ratios(root):
    figures = json.loads(run("--corpus", "emodb", "--root", root, "--json").stdout)
    assert {"ratio_vs_librosa", "ratio_vs_torchaudio", "cache_speedup"} <= figures.keys()
    assert figures["utterances"] == 3


def test_a_person_reads_a_table(root):
    output = run("--corpus", "emodb", "--root", root).stdout
    assert "1.5 s of emodb, 3 utterances, threads: 1" in output
    assert "than librosa's mels" in output


def test_a_corpus_without_its_folder_is_an_error():
    assert isinstance(run("--corpus", "emodb").exception, UserError)
