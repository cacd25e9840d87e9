"""How many threads share a sum, on which its last bits depend.

Owns the moments in which that must be one. Must not know what is summed.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute alone, so that the bits are the same in a process that has many threads and in one that has few."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
