"""Seeds and the random streams that grow from them.

Owns how a seed is derived. Must not know who asks: a stream depends on names and a step, never on the order in
which workers happen to run, so that resuming at step n draws what an uninterrupted run drew at step n.
"""

import hashlib

import numpy as np
import torch


def derive_seed(*parts: str | int) -> int:
    """A 63-bit seed from names such as (run seed, session, stage).

    >>> derive_seed(0, "Session1", "finetune") == derive_seed(0, "Session1", "finetune")
    True
    >>> derive_seed("ab", "c") == derive_seed("a", "bc")
    False
    """
    digest = hashlib.sha256(b"\x1f".join(str(part).encode() for part in parts)).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def numpy_stream(*parts: str | int) -> np.random.Generator:
    """A numpy generator of its own for these names."""
    return np.random.Generator(np.random.Philox(derive_seed(*parts)))


def torch_stream(*parts: str | int) -> torch.Generator:
    """A CPU torch generator of its own for these names; draws move to a GPU afterwards so that devices agree."""
    return torch.Generator().manual_seed(derive_seed(*parts))
