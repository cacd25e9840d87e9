"""`eyesoff bench`: what a person and a program read of it."""

import json

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from common.errors import UserError
from simulations.benchmarks import federation, fits, ledger
from simulations.commands.bench import app

FIGURES = {
    "overhead": 1.042,
    "server_memory_ratio": 1.01,
    "wire_ratio": 1.004,
    "federated_seconds": 187.6,
    "bare_seconds": 180.0,
    "tunings": 5,
    "at_once": 2,
    "iterations": 150,
}


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


@pytest.fixture
def asked(monkeypatch):
    """The seconds that each measurement was asked for; nothing is measured."""
    seconds = []

    def bench(config, seconds_per_tuning, tell, console):
        assert (config.name, console.stderr) == ("demo", True)
        tell("the same in a campaign")
        seconds.append(seconds_per_tuning)
        return FIGURES

    monkeypatch.setattr(federation, "bench_federation", bench)
    return seconds


def test_json_of_the_federation_is_one_object_with_its_ratios(asked):
    told = CliRunner().invoke(app, ["federation", "--json", "--seconds-per-tuning", "5"])
    figures = json.loads(told.stdout)
    assert figures.pop("command").startswith("eyesoff")
    assert figures == FIGURES
    assert told.stderr == "the same in a campaign\n"
    assert asked == [5.0]


def test_a_person_reads_the_federations_ratios_and_what_was_timed(asked):
    told = CliRunner().invoke(app, ["federation"]).stdout
    assert "overhead             1.042" in told
    assert "5 tunings of 150 steps, 2 at once: 187.6 s, bare 180.0 s" in told
    assert asked == [20.0]


def test_what_an_entry_costs_early_and_late_in_a_day(monkeypatch):
    figures = {"rounds": 200, "entries": [50, 5000], "milliseconds": [2.0, 2.2], "ratio": 1.1}
    monkeypatch.setattr(ledger, "bench_ledger", lambda: figures)
    told = CliRunner().invoke(app, ["ledger"]).stdout
    assert "after 50 entries of the day: 2.0 ms" in told
    assert "after 5,000 entries of the day: 2.2 ms\nratio 1.1" in told
    assert json.loads(CliRunner().invoke(app, ["ledger", "--json"]).stdout).items() >= figures.items()


def test_what_a_fit_of_a_synthesizer_takes(monkeypatch):
    found = {"processor_seconds": 16.5, "steps": 3600}

    def bench(config, names, tell):
        tell("adan", found)
        return {"fits": {"adan": found}, "asked": list(names)}

    monkeypatch.setattr(fits, "bench_fits", bench)
    assert "adan: 16.5 s of a processor, 3600 steps" in CliRunner().invoke(app, ["fits"]).stdout
    told = json.loads(CliRunner().invoke(app, ["fits", "adan", "--json"]).stdout)
    assert told.items() >= {"fits": {"adan": found}, "asked": ["adan"]}.items()
