"""The terms of a sum over sites: what is summed, in which round and by whom, and the spelling of what passes in it.

Owns the bounds of a round's fields and the way from numbers to bytes. Must not know a round's steps: whoever takes them
has `common.privacy.summation`.
"""

import hashlib
from typing import Annotated, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from common.errors import UserError
from common.privacy.sharing import SEAL, SECRET, SHARE
from common.privacy.summation import FEWEST, Round, Words
from common.settings import Section
from common.spaces import Name
from common.wire.codes import Code, WireError
from common.wire.terms import Tuning, spelled

MOST_SITES = 64
"""All seals of a site fit into the words of one message."""
KEY_DIGITS = 2 * SECRET
_SEAL = 2 * (2 * SHARE + SEAL)

Seals = Annotated[dict[Name, Annotated[str, Field(pattern=rf"^[0-9a-f]{{{_SEAL}}}$")]], Field(max_length=MOST_SITES)]
"""By site, what was sealed for another or by another, in hexadecimal digits."""
Keys = Annotated[str, Field(pattern=r"^[0-9a-f]+$", max_length=KEY_DIGITS * MOST_SITES)]
Shares = Annotated[
    dict[Name, Annotated[str, Field(pattern=rf"^[0-9a-f]{{{2 * SHARE}}}$")]], Field(max_length=MOST_SITES)
]


class Summing(Section):
    """What defines one sum, all of it chosen by the server; every message of the round repeats it.

    Args:
        tuning: what would be released if a site were alone.
        name: of the round within the run.
        sites: who may take part.
    """

    tuning: Tuning
    name: Name
    sites: tuple[Name, ...] = Field(min_length=FEWEST, max_length=MOST_SITES)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.tuning.summed:
            raise ValueError("a tuning that is not of a sum")
        if list(self.sites) != sorted({*self.sites}):
            raise ValueError("sites are different, and in the order of their names")
        if self.tuning.session not in self.sites:
            raise ValueError("who is asked is not among the sites")
        return self

    @property
    def others(self) -> tuple[str, ...]:
        """All sites but the one that is asked."""
        return tuple(site for site in self.sites if site != self.tuning.session)

    @property
    def size(self) -> int:
        """Numbers that each site brings."""
        sums = self.tuning.method.sums
        if sums is None:
            raise WireError(Code.FORM, where=f"{self.tuning.synthesizer} is not made of sums")
        return sums.size(self.tuning.own, len(self.tuning.labels))

    @property
    def bytes(self) -> int:
        """Of a site's masked numbers."""
        return 8 * self.size

    @property
    def round(self) -> Round:
        """The round; every mask hangs on its name, and so on all that is summed in it."""
        about = self.tuning.model_dump(mode="json", exclude={"session"})
        digest = hashlib.sha256(spelled(about).encode("ascii")).hexdigest()
        return Round(f"{self.tuning.run}/{self.name}/{digest}", self.sites, self.size)

    @property
    def digest(self) -> str:
        """Names the round and its sites: 64 characters."""
        return hashlib.sha256(self.round.words().encode()).hexdigest()


def as_tensor(words: Words) -> Tensor:
    """Numbers in fixed point as they travel: eight bytes each."""
    return torch.from_numpy(np.ascontiguousarray(words, dtype="<u8").view(np.int8))


def as_words(tensor: Tensor) -> Words:
    """Back from bytes."""
    if tensor.numel() % 8:
        raise UserError("bytes that are no numbers of eight")
    return np.asarray(tensor.numpy().copy().view("<u8").astype(np.uint64))
