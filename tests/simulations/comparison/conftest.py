"""A comparison small enough for a test: three of the sessions, few samples, all in this process."""

import json

import pytest
from rich.console import Console

from common.training.checkpoint import read_tensors
from simulations.comparison import doing, running
from simulations.comparison.running import Order, run_comparison
from simulations.comparison.schema import plain


@pytest.fixture(scope="session")
def config(of_three_sessions):
    return of_three_sessions


@pytest.fixture(scope="session", autouse=True)
def _few_samples():
    """Of what is drawn for a look or a fit, as much as shows that it is drawn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("simulations.comparison.sample_quality.AN_EMOTION", 4)
        patch.setattr("common.synthesizers.methods.chatziagapi.CODED", 64)
        yield


@pytest.fixture(scope="session")
def units(tmp_path_factory):
    """The folder of units that comparisons share where they name no other."""
    return tmp_path_factory.mktemp("units")


@pytest.fixture(scope="session")
def tensors_of():
    """A function that reads what a unit left, by the folder of units and the unit's line."""

    def read(folder, line, name):
        cards = [path for path in folder.glob("*/*/card.json") if json.loads(path.read_text())["unit"] == line]
        return read_tensors(cards[0].parent / name)[0]

    return read


@pytest.fixture(scope="session")
def comparing(config, weights, units):
    """A function that runs a comparison in this process; the answer is what its file says."""

    def run(folder, *, stop=lambda: False, settings=config, console=None, **order):
        asked = {"base": weights, "units": units, "workers": 0} | order
        return plain(run_comparison(settings, Order(folder, **asked), console or Console(quiet=True), stop))

    return run


@pytest.fixture(scope="session")
def whole(comparing, tmp_path_factory):
    """The results of all six modes, and the run's folder."""
    folder = tmp_path_factory.mktemp("run") / "whole"
    return comparing(folder), folder


@pytest.fixture
def counting(monkeypatch):
    """The units that are computed, in order."""
    computed, do = [], doing.do

    def count(job):
        computed.append(str(job.unit))
        return do(job)

    monkeypatch.setattr(running, "do", count)
    return computed
