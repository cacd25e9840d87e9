"""The benchmark of fits times each synthesizer of vectors once, at the settings that it is given."""

import itertools

import pytest

from common.config import Config
from common.errors import UserError
from common.spaces import Vectors
from common.synthesizers import SYNTHESIZERS
from simulations.benchmarks import fits as benchmark


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(benchmark.time, "process_time", itertools.count().__next__)


def test_each_is_timed_once_with_its_steps(clock):
    config = Config.model_validate({"adan": {"iterations": 2, "hidden": 8}, "m1": {"iterations": 3, "width": 0.01}})
    told = []
    figures = benchmark.bench_fits(config, ["adan", "m1"], rows=12, tell=lambda name, found: told.append(name))
    assert figures["fits"] == {
        "adan": {"processor_seconds": 1, "steps": 2},
        "m1": {"processor_seconds": 1, "steps": 3},
    }
    assert (figures["rows"], told) == (12, ["adan", "m1"])


def test_where_none_is_named_it_is_all_of_vectors(monkeypatch):
    monkeypatch.setattr(benchmark, "_timed", lambda one, config, rows: one.name)
    timed = benchmark.bench_fits(Config())["fits"]
    assert list(timed) == [one.name for one in SYNTHESIZERS if one.spaces == {Vectors}]
    assert "adan" in timed


def test_one_of_patches_is_refused():
    with pytest.raises(UserError, match="no synthesizer of vectors: eskimez"):
        benchmark.bench_fits(Config(), ["eskimez"])
