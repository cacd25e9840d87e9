"""A bank, or part of it, as a folder or a zip file that another machine can draw from.

Owns what is exported and that it comes whole or not at all. Must not know how a bank lays out its own folder: what is
exported is a bank again, with an index beside it, and with the public networks that small releases differ from.
"""

import json
import secrets
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from torch import Tensor

from common.errors import UserError
from common.files import atomic_json, locked, write_through
from common.wire import needs_base
from server import bases
from server.bank import INDEX, Bank, Banked
from server.generators import settings_of

LOCK = "lock"


def export(bank: Bank, target: Path, names: Sequence[str] = ()) -> tuple[Banked, ...]:
    """Copy the named releases, or all, each checked first, into a new folder or a `.zip`."""
    refuse_present(target)
    chosen = tuple(bank.get(name) for name in names) or bank.banked()
    if not chosen:
        raise UserError("nothing to export", where=bank.folder)
    for banked in chosen:
        bank.load(banked)
        bank.base(banked.card.tuning)
    if target.suffix == ".zip":
        write_through(target, lambda stream: _zip(bank, chosen, stream))
    else:
        copied(bank, chosen, target)
    return chosen


def refuse_present(target: Path) -> None:
    """Nothing is written over."""
    if target.exists():
        raise UserError("the target exists already", where=target, remedy="name one that does not")


@contextmanager
def growing_folder(target: Path) -> Iterator[Path]:
    """A folder beside the target that takes its place when the block is over, or goes."""
    growing = target.with_name(f".{target.name}.{secrets.token_hex(4)}")  # tempfile's would be closed to all others
    try:
        growing.mkdir(parents=True)
        yield growing
        growing.replace(target)
    except BaseException as error:
        shutil.rmtree(growing, ignore_errors=True)
        if isinstance(error, OSError):
            raise UserError("cannot export", where=target, remedy=error.strerror or str(error)) from error
        raise


@contextmanager
def unfinished_folder(target: Path) -> Iterator[Path]:
    """A hidden folder beside the target for what is made of it so far, which goes when the block is over.

    A kill or an error leaves it, to go on in. One process at a time is at work there.
    """
    folder = target.with_name(f".{target.name}.unfinished")
    with locked(folder / LOCK, wait=False, taken=f"another process makes {target}", remedy="wait for it"):
        if target.exists():  # by a call that was killed at its very end, or by that other process meanwhile
            shutil.rmtree(folder, ignore_errors=True)
        refuse_present(target)
        yield folder
        shutil.rmtree(folder, ignore_errors=True)


def copied(bank: Bank, chosen: Sequence[Banked], target: Path) -> None:
    """These releases and nothing else, in a folder that is there at once and whole."""
    with growing_folder(target) as growing:
        for path in _files(bank, chosen):
            shutil.copyfile(path, growing / path.name)
        for weights in _bases(bank, chosen).values():
            bases.keep(growing, weights)
        atomic_json(growing / INDEX, index_of(bank, chosen))


def _zip(bank: Bank, chosen: Sequence[Banked], stream: BinaryIO) -> None:
    """Stored, not deflated: weights do not compress."""
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for path in _files(bank, chosen):
            archive.write(path, path.name)
        for name, weights in _bases(bank, chosen).items():
            archive.writestr(f"{name}{bases.SUFFIX}", bases.spelled(weights))
        archive.writestr(INDEX, json.dumps(index_of(bank, chosen), indent=2))


def _files(bank: Bank, chosen: Sequence[Banked]) -> list[Path]:
    return [path for banked in chosen for path in bank.files(banked)]


def _bases(bank: Bank, chosen: Sequence[Banked]) -> dict[str, dict[str, Tensor]]:
    """Name to networks, each once."""
    small = [banked.card.tuning for banked in chosen if needs_base(banked.card.tuning)]
    return {str(tuning.weights): bank.base(tuning) for tuning in {one.weights: one for one in small}.values()}


def index_of(bank: Bank, chosen: Sequence[Banked]) -> dict[str, object]:
    """What a reader without the run looks up: which releases, and how speech became their features."""
    return {
        "settings": _settings(bank, chosen),
        "releases": [
            {
                "name": banked.name,
                "run": banked.run,
                "session": banked.session,
                "labels": list(banked.card.tuning.labels),
                "bytes": banked.bytes,
                "sha256": banked.sha256,
            }
            for banked in chosen
        ],
    }


def _settings(bank: Bank, chosen: Sequence[Banked]) -> list[dict[str, object]]:
    """Of every kind of features that is known here; a bank may come from elsewhere, and then its index told them."""
    told = []
    for banked in chosen:
        try:
            config = settings_of(banked.card.tuning, bank.folder)
        except UserError:
            continue
        plain = config.model_dump(mode="json", include={"features", "vectors"})
        if plain not in told:
            told.append(plain)
    return told
