"""A twin's scores in a file, so that an audit that was killed goes on with the twin that it was at.

Owns the form of that file. Must not know how a twin is scored.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import torch

from common.audit.twins import Told
from common.errors import UserError
from common.training.checkpoint import read_tensors, save_tensors


def kept(path: Path, make: Callable[[], Told]) -> Told:
    """The scores that lie there; made and stored where none can be read."""
    with suppress(UserError):
        return Told(**{name: value.numpy() for name, value in read_tensors(path)[0].items()})
    made = make()
    tensors = {one.name: torch.from_numpy(getattr(made, one.name)) for one in fields(Told)}
    save_tensors(path, tensors, {"what": "scores of a twin"})
    return made
