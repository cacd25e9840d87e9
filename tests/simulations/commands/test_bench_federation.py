"""`eyesoff bench federation`: what a person and a program read of it."""

import json

import pytest
from typer.testing import CliRunner

from simulations.benchmarks import federation
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
def asked(monkeypatch):
    """The seconds that each measurement was asked for; nothing is measured."""
    seconds = []

    def bench(config, seconds_per_tuning):
        assert config.name == "demo"
        seconds.append(seconds_per_tuning)
        return FIGURES

    monkeypatch.setattr(federation, "bench_federation", bench)
    return seconds


def test_json_is_one_object_with_the_ratios(asked):
    told = CliRunner().invoke(app, ["federation", "--json", "--seconds-per-tuning", "5"]).stdout
    assert json.loads(told) == FIGURES
    assert asked == [5.0]


def test_a_person_reads_the_ratios_and_what_was_timed(asked):
    told = CliRunner().invoke(app, ["federation"]).stdout
    assert "overhead             1.042" in told
    assert "5 tunings of 150 steps, 2 at once: 187.6 s, bare 180.0 s" in told
    assert asked == [60.0]
