"""Whether memory that a step frees stays with the process until the next step asks for it.

Owns what glibc is told about that. Elsewhere nothing is told and nothing lost but speed. Must not know what is trained.
Every step frees and asks for the same hundreds of megabytes; left to itself glibc hands them back to the system, which
clears each page before it lends it again: a seventh of a small network's step.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -2, -3, -4
"""What `mallopt` calls its settings, from malloc.h."""
NEVER = -1
KEPT = {M_MMAP_MAX: 0, M_TRIM_THRESHOLD: NEVER, M_TOP_PAD: 64 * 2**20}
LARGEST = 32 * 2**20
"""Up to this size glibc learns from what is freed."""


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Keep what is freed for as long as the context lasts, then give it back."""
    _tell(KEPT)
    try:
        yield
    finally:
        _return(LARGEST)


@contextmanager
def freed_memory_returned(largest: int) -> Iterator[None]:
    """As in a process that was never told anything and has freed tensors of so many bytes, within one that keeps."""
    _return(largest)
    try:
        yield
    finally:
        _tell(KEPT)


def give_back() -> None:
    """Hand back to the system what lies free between what is kept, now."""
    if (library := _glibc()) is not None:
        library.malloc_trim(0)


def _tell(settings: dict[int, int]) -> None:
    if (library := _glibc()) is not None:
        for name, value in settings.items():
            library.mallopt(name, value)


def _return(largest: int) -> None:
    threshold = min(largest, LARGEST)
    usual = {M_MMAP_MAX: 65536, M_MMAP_THRESHOLD: threshold, M_TRIM_THRESHOLD: 2 * threshold, M_TOP_PAD: 128 * 2**10}
    _tell(usual)
    give_back()


def _glibc() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):
        return None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
