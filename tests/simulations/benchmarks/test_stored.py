"""Stored measurements: each says what made it, and has what its command prints today."""

import json
from pathlib import Path

import pytest

from simulations.benchmarks.step import SHOWN_AS

STORED = Path(__file__).parents[3] / "results" / "benchmarks"


@pytest.mark.parametrize("file", sorted(STORED.glob("*.json")), ids=lambda file: file.stem)
def test_a_stored_measurement_names_its_command(file):
    assert json.loads(file.read_text())["command"].startswith("eyesoff bench ")


def test_a_gpus_steps_are_told_for_every_stage_at_the_papers_width():
    stored = json.loads((STORED / "step-paper-h200.json").read_text())
    assert (stored["width"], stored["batch"], stored["device"]) == (1.0, 32, "NVIDIA H200")
    assert list(stored["stages"]) == list(SHOWN_AS.values())
