"""Memory that is freed is kept while it is to be, and given back afterwards."""

import resource
import subprocess
import sys

import pytest

from common.networks import allocation

PROBE = """
import resource
import torch
from common.networks.allocation import freed_memory_kept, freed_memory_returned, give_back

def faults(rounds=8):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        torch.ones(12 * 2**20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    return int(open("/proc/self/statm").read().split()[1])

usual = faults()
with freed_memory_kept():
    faults(16)  # the heap grows until what is freed fits what is asked for
    kept, held = faults(), resident()
    with freed_memory_returned(2**20):
        returned = faults()
after = resident()
large, small = zip(*((bytearray(100_000), bytearray(500)) for _ in range(500)))  # a small one above each large one
del large
between = resident()
give_back()
print(usual, kept, returned, held, after, between, resident())
"""


NUMBERS = "usual", "kept", "returned", "held", "after", "between", "given back"


@pytest.fixture(scope="module")
def probed():
    if allocation._glibc() is None:
        pytest.skip("this machine's C library is not glibc")
    ran = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, timeout=200)
    return dict(zip(NUMBERS, map(int, ran.stdout.split()), strict=True))


def test_memory_that_is_kept_is_not_fetched_anew(probed):
    assert probed["kept"] * 4 < probed["usual"]


def test_within_it_a_process_can_do_as_if_it_had_never_been_told(probed):
    assert probed["kept"] * 4 < probed["returned"]


def test_what_was_kept_is_given_back_in_the_end(probed):
    assert (probed["held"] - probed["after"]) * resource.getpagesize() > 32 * 2**20


def test_what_is_free_between_what_is_kept_is_given_back_when_that_is_asked_for(probed):
    assert (probed["between"] - probed["given back"]) * resource.getpagesize() > 32 * 2**20


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(allocation.ctypes, "CDLL", lambda _: object())
    with allocation.freed_memory_kept():
        pass
    allocation.give_back()
    assert allocation._glibc() is None
