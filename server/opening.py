"""A bank by the place that a person names: a folder, or the zip file that an export wrote.

Owns what passes for a bank and what is said of a place that does not. Must not know what is done with a bank.
"""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from common.errors import UserError
from server.bank import CARD, INDEX, QUARANTINE, WEIGHTS, Bank
from server.bases import SUFFIX

ZIP = b"PK\x03\x04"
"""What a zip file that holds anything begins with."""
REMEDY = "name the folder that a run writes its releases to, such as RUN/bank, or a zip file of `eyesoff bank export`"


@contextmanager
def opened_bank(place: Path, *, to_change: bool = False) -> Iterator[Bank]:
    """The bank at a place, for as long as the block runs; a zip file is unpacked aside and never changed."""
    if place.is_dir():
        _refuse_other_folders(place)
        yield Bank(place)
        return
    if not place.exists():
        raise UserError("no such bank", where=place, remedy=REMEDY)
    if not zipfile.is_zipfile(place):
        _refuse_cut(place)
        raise UserError("a file, not a bank", where=place, remedy=REMEDY)
    if to_change:
        raise UserError("a bank in a zip file is only read", where=place, remedy="unpack it, and name the folder")
    with tempfile.TemporaryDirectory(prefix="eyesoff-bank-") as folder:
        _unpack(place, Path(folder))
        yield Bank(Path(folder))


def is_bank(place: Path) -> bool:
    """Whether a place holds releases: a folder of them, or a zip file; networks are a folder with another card."""
    if place.is_dir():
        return any(path.with_suffix(CARD).is_file() for path in place.glob(f"*{WEIGHTS}"))
    return place.suffix.lower() == ".zip"


def _refuse_cut(place: Path) -> None:
    """A zip file has its list of contents at its end, so that one which is cut is none any more."""
    with suppress(OSError), place.open("rb") as stream:
        if stream.read(len(ZIP)) == ZIP:
            remedy = "fetch it again, or export the bank again"
            raise UserError("a zip file that is cut or damaged", where=place, remedy=remedy)


def _refuse_other_folders(folder: Path) -> None:
    """An empty folder is an empty bank; one that holds other things, and no card, is a slip."""
    names = {path.name for path in folder.iterdir() if not path.name.startswith(".")} - {INDEX, QUARANTINE}
    if not names or any(name.endswith((CARD, WEIGHTS)) and (folder / name).is_file() for name in names):
        return
    nearby = [path for path in sorted(folder.glob("**/bank")) if any(path.glob(f"*{WEIGHTS}"))]
    remedy = f"did you mean {nearby[0]}?" if nearby else REMEDY
    raise UserError("not a bank: it holds no release", where=folder, remedy=remedy)


def _unpack(archive: Path, folder: Path) -> None:
    """Cards, weights and networks alone, side by side whatever folder they are in: no name leads anywhere else."""
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [one for one in opened.infolist() if _belongs(PurePosixPath(one.filename).name)]
            if not any(member.filename.endswith(WEIGHTS) for member in members):
                raise UserError("a zip file without releases", where=archive, remedy=REMEDY)
            size, free = sum(member.file_size for member in members), shutil.disk_usage(folder).free
            if size > free:
                what = f"unpacked it takes {size / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free in {folder.parent}"
                raise UserError(what, where=archive, remedy="set TMPDIR to a folder with room")
            for member in members:
                target = folder / PurePosixPath(member.filename).name
                if target.exists():
                    raise UserError(f"it holds {target.name} twice", where=archive, remedy="export the bank again")
                with opened.open(member) as source, target.open("xb") as stream:
                    shutil.copyfileobj(source, stream)
    # The last is what zipfile raises for a compression that it lacks, and for a file that asks for a password.
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError) as error:
        remedy = f"{error or 'it is damaged'}; copy it again"
        raise UserError("cannot read the zip file", where=archive, remedy=remedy) from None


def _belongs(name: str) -> bool:
    """Whether a file is a bank's; what a Mac adds is hidden."""
    return name.endswith((CARD, WEIGHTS, SUFFIX)) and not name.startswith(".")
