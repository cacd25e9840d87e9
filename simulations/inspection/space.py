"""Whether there is room: on the disks that are written to, and in /dev/shm, through which Ray passes arrays."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from simulations.inspection.finding import GIB, Finding

Free = Callable[[Path], int]


def _free(path: Path) -> int:
    return shutil.disk_usage(path).free


def disk(folder: Path, subject: str, free: Free = _free) -> Finding:
    """Free space where a folder is or will be, and whether it may be written."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    space = free(there)
    seen, figures = f"{space / GIB:.1f} GiB free at {folder}", {"free_gib": space / GIB}
    if not there.is_dir():
        return Finding(subject, "fail", f"{there} is a file, not a folder", "choose another folder", figures)
    if not os.access(there, os.W_OK):
        return Finding(subject, "fail", f"{there} may not be written", "choose another folder", figures)
    if space < GIB:
        return Finding(subject, "fail", seen, "free some space: the demo alone needs 1 GiB", figures)
    if space < 10 * GIB:
        remedy = "enough for `demo` and `small`; the cache of all of LibriSpeech takes 10 GiB"
        return Finding(subject, "warn", seen, remedy, figures)
    return Finding(subject, "ok", seen, figures=figures)


def shared_memory(folder: Path = Path("/dev/shm"), free: Free = _free) -> Finding:
    """Free shared memory; five times the largest message is wanted."""
    if not folder.exists():
        return Finding("/dev/shm", "ok", "not here; Ray then uses ordinary files")
    space = free(folder)
    seen, figures = f"{space / GIB:.1f} GiB free", {"free_gib": space / GIB}
    if space < GIB:
        remedy = "in a container start it with --shm-size=4g; else Ray writes arrays to disk, slowly"
        return Finding("/dev/shm", "warn", seen, remedy, figures)
    return Finding("/dev/shm", "ok", seen, figures=figures)
