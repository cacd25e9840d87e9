"""The suite: the usual run draws the same every time, a random one says how to see its failure again, a limit ends."""

import importlib.util
import random
import re
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from client.dice import BYTES, write_secret

SAME, RANDOM = settings.get_profile("same"), settings(settings.get_profile("random"), database=None)


def drawn(profile):
    """The numbers that a property is tried with."""
    numbers = []

    @settings(profile)
    @given(st.integers(10**6, 10**9))
    def property_of(number):
        numbers.append(number)

    property_of()
    return numbers


@pytest.fixture
def load_another(tmp_path, monkeypatch):
    """A function that loads a module of this project's, with numbers of its own; the answer is the numbers."""
    numbers = [10**8 + 7 * number for number in range(500)]
    (tmp_path / "another.py").write_text(f"NUMBERS = {numbers}")

    def load():
        spec = importlib.util.spec_from_file_location("another", tmp_path / "another.py")
        monkeypatch.setitem(sys.modules, "another", module := importlib.util.module_from_spec(spec))
        spec.loader.exec_module(module)
        return module.NUMBERS

    return load


def test_examples_are_the_same_whatever_modules_are_loaded(load_another):
    before = drawn(SAME)
    assert len(set(before)) > 25
    load_another()
    assert drawn(SAME) == before


@pytest.mark.slow
def test_random_examples_are_mixed_with_numbers_of_the_modules_that_are_loaded(load_another):
    """The control: without what `tests/conftest.py` does, the same examples would be, too."""
    numbers = load_another()
    assert {*drawn(RANDOM)} & {*numbers}


@pytest.mark.parametrize("turn", [1, 2])
def test_global_generators_begin_alike_in_every_test(turn):
    assert torch.rand(1) == torch.rand(1, generator=torch.Generator().manual_seed(0))
    assert random.random() == random.Random(0).random()
    assert np.random.random() == np.random.RandomState(0).random()


def test_a_site_that_a_test_makes_has_the_same_secret_in_every_run_and_no_other_site_has_it(request, tmp_path):
    expected = random.Random(request.node.nodeid)
    for name in ("one", "other"):
        write_secret(tmp_path / name)
        assert (tmp_path / name).read_text().strip() == expected.randbytes(BYTES).hex()


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_begins_with_one_thread_however_many_the_last_one_left(turn):
    assert torch.get_num_threads() == 1
    torch.set_num_threads(2)


def test_global_generators_begin_alike_for_every_example():
    seen = set()

    @settings(RANDOM, max_examples=20)
    @given(st.integers())
    def property_of(number):
        seen.add(torch.rand(1).item())

    property_of()
    assert len(seen) == 1


def test_a_random_failure_shows_its_example_and_how_to_see_it_again():
    @settings(RANDOM)
    @given(st.integers())
    def property_of(number):
        assert number < 1000

    with pytest.raises(AssertionError) as caught:
        property_of()
    told = "\n".join(caught.value.__notes__)
    assert "number=1000" in told
    assert "@reproduce_failure(" in told


def test_a_random_run_draws_twenty_times_as_many():
    assert len(drawn(RANDOM)) == 20 * len(drawn(SAME))


def test_no_stack_is_printed_before_a_tests_own_limit_has_ended_it():
    tests = Path(__file__).parent
    own = [re.findall(r"mark\.timeout\((\d+)\)", path.read_text()) for path in tests.rglob("test_*.py")]
    options = tomllib.loads((tests.parent / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    limits = [options["timeout"], *(int(seconds) for found in own for seconds in found)]
    assert len(limits) > 4
    assert options["faulthandler_timeout"] > max(limits)
