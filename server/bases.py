"""The public networks that small releases are a difference to, as a bank keeps them: a file that its name vouches for.

Owns that file, and the shipped networks by the same name. Must not know a release.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from common.errors import UserError
from common.files import atomic_write
from common.training.pretrained import SHIPPED, learned_in, shipped_weights
from common.wire import weights_digest

SUFFIX = ".base"


def name_of(weights: Mapping[str, Tensor]) -> str:
    """What an order calls these networks."""
    return weights_digest({"base": weights})


def keep(folder: Path, weights: Mapping[str, Tensor]) -> None:
    """Store them below their name, once."""
    path = folder / f"{name_of(weights)}{SUFFIX}"
    if not path.exists():
        atomic_write(path, spelled(weights))


def spelled(weights: Mapping[str, Tensor]) -> bytes:
    """The file's content."""
    return save({name: value.detach().cpu().contiguous() for name, value in weights.items()})


def find(folder: Path, name: str) -> dict[str, Tensor]:
    """The networks of this name: those of the folder, or of this installation."""
    path = folder / f"{name}{SUFFIX}"
    if path.exists():
        return read(path)
    for folder_of_preset in map(shipped_weights, SHIPPED):
        if _shipped_name(folder_of_preset) == name:
            return learned_in(folder_of_preset)[0]
    remedy = f"copy {path.name} from the bank that it came from; `eyesoff bank export` takes it along"
    raise UserError("a release without the public networks that it differs from", where=folder, remedy=remedy)


def read(path: Path) -> dict[str, Tensor]:
    """A stored file, if it holds what its name says."""
    try:
        weights: dict[str, Tensor] = load(path.read_bytes())
    except (OSError, SafetensorError) as error:
        raise UserError("cannot read public networks", where=path, remedy=str(error)) from None
    if name_of(weights) != path.stem:
        raise UserError("altered public networks: they are not those of their name", where=path, remedy="copy it again")
    return weights


@lru_cache
def _shipped_name(folder: Path) -> str:
    return name_of(learned_in(folder)[0])
