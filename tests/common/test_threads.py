"""Sums that must not depend on how many threads a process has."""

import pytest
import torch

from common.config import NetworkConfig
from common.networks import Generator
from common.threads import one_thread


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_the_number_of_threads_is_one_inside_and_what_it_was_outside(threads):
    threads(2)
    with pytest.raises(KeyError), one_thread():
        assert torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == 2


def test_networks_are_born_with_the_same_bits_whatever_the_number_of_threads(threads):
    born = []
    for number in (1, 2):
        threads(number)
        born.append(Generator(NetworkConfig(width=1 / 16), seed=3).state_dict())
    assert all(torch.equal(value, born[1][name]) for name, value in born[0].items())
