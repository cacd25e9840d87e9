"""Streams depend on their names alone, and differ where names differ."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from common.seeds import derive_seed, numpy_stream, torch_stream

NAMES = st.lists(st.text(st.characters(exclude_characters="\x1f", codec="utf-8")) | st.integers(), min_size=1)


@given(NAMES)
def test_a_seed_is_a_63_bit_number_that_never_changes(names: list[str | int]) -> None:
    assert derive_seed(*names) == derive_seed(*names)
    assert 0 <= derive_seed(*names) < 2**63


@given(NAMES, NAMES)
def test_other_names_give_another_seed(some: list[str | int], others: list[str | int]) -> None:
    alike = [str(name) for name in some] == [str(name) for name in others]
    assert (derive_seed(*some) == derive_seed(*others)) == alike


def test_seeds_are_the_same_in_every_release() -> None:
    assert derive_seed(0, "Session1", "finetune") == 5741151882971477188


@pytest.mark.slow
def test_seeds_do_not_depend_on_the_process() -> None:
    code = "from common.seeds import derive_seed; print(derive_seed(7, 'a', 'b'))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONHASHSEED": "5"})
    assert int(other.stdout) == derive_seed(7, "a", "b")


def test_streams_of_one_name_agree_and_of_two_names_do_not() -> None:
    assert np.array_equal(numpy_stream(1, "a").random(8), numpy_stream(1, "a").random(8))
    assert not np.array_equal(numpy_stream(1, "a").random(8), numpy_stream(1, "b").random(8))
    assert torch.equal(torch.rand(8, generator=torch_stream(1, "a")), torch.rand(8, generator=torch_stream(1, "a")))
    assert not torch.equal(torch.rand(8, generator=torch_stream(1, "a")), torch.rand(8, generator=torch_stream(2, "a")))


def test_drawing_from_a_stream_leaves_global_randomness_alone() -> None:
    before = torch.random.get_rng_state()
    torch.rand(8, generator=torch_stream(1, "a"))
    numpy_stream(1, "a").random(8)
    assert torch.equal(before, torch.random.get_rng_state())
