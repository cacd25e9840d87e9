"""Folders of features that are built once and read ever after: by whom, and when one has to be built anew.

Owns their names, the turn of builders and that a folder is whole or absent. Must not know what features are.

A folder an answer, named by what defines it: every file's path, size and time, and the settings of the extractor. A
changed file or setting is another name, so nothing is ever updated in place.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from common.corpora.manifest import BadFile, Manifest
from common.errors import UserError, UserErrors
from common.files import atomic_json

INDEX = "index.json"
PATIENCE, GLANCE = 3600.0, 0.1
"""Seconds: how long another builder is waited for, and how often to look."""

Index = dict[str, Any]
Progress = Callable[[int, int], object]
_log = logging.getLogger(__name__)


def key_of(manifest: Manifest, *settings: Any) -> str:
    """Names the features of a manifest's files under settings, which are plain data."""
    digest = hashlib.sha256(json.dumps(settings).encode())
    for utterance in manifest.utterances:
        try:
            state = (manifest.root / utterance.file).stat()
        except OSError:
            digest.update(f"{utterance.path}\0gone\n".encode())
        else:
            digest.update(f"{utterance.path}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return f"{manifest.corpus}-{digest.hexdigest()[:16]}"


def built(folder: Path, is_whole: Callable[[Path, Index], bool], build: Callable[[Path], Index]) -> Index:
    """The index of a folder that is whole, after it was built where need be."""
    index = _read(folder, is_whole)
    if index is None:
        with _only_builder(folder):
            index = _read(folder, is_whole)  # another process may have built it while this one waited
            if index is None:
                index = _build(folder, build)
    return index


def usable(manifest: Manifest, bad: Mapping[str, str], *, skip_bad: bool) -> Manifest:
    """The manifest without the files that cannot be used, which it records; or one error that names them all."""
    if bad and (not skip_bad or len(bad) == len(manifest)):
        remedy = "mend them" + ", or go on without them with --skip-bad" * (len(bad) < len(manifest))
        heading = f"{len(bad)} of {len(manifest)} files below {manifest.root} cannot be used; {remedy}"
        raise UserErrors(heading, [f"{path}: {reason}" for path, reason in bad.items()])
    if not bad:
        return manifest
    skipped = tuple(BadFile(path, reason) for path, reason in bad.items())
    return replace(manifest.where(lambda u: u.path not in bad), skipped=(*manifest.skipped, *skipped))


def numbers_of(part: Manifest, whole: Manifest) -> list[int]:
    """Where a part's utterances stand in the manifest that was extracted."""
    numbers = {utterance.path: number for number, utterance in enumerate(whole.utterances)}
    if missing := [utterance.path for utterance in part.utterances if utterance.path not in numbers]:
        where = ", ".join(missing[:3]) + ", ..." * (len(missing) > 3)
        remedy = "cut folds from the manifest that the features carry, which lacks files that were skipped"
        raise UserError(f"no features of {len(missing)} utterances", where=where, remedy=remedy)
    return [numbers[utterance.path] for utterance in part.utterances]


def _read(folder: Path, is_whole: Callable[[Path, Index], bool]) -> Index | None:
    """What stands in a cache, or None where it has to be built: it is not there, or was damaged since."""
    try:
        index: Index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        return index if is_whole(folder, index) else None
    except (OSError, ValueError):
        return None


@contextmanager
def _only_builder(folder: Path) -> Iterator[None]:
    """Held by one process at a time, and let go by the system when that process dies."""
    lock = FileLock(folder.with_name(f".{folder.name}.lock"), poll_interval=GLANCE, fallback_to_soft=False)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _await_turn(lock)
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        yield
    finally:
        lock.release()


def _await_turn(lock: FileLock) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _log.warning("another process is extracting the same features; waiting for it")
        try:
            lock.acquire(timeout=PATIENCE)
        except Timeout:
            what = f"another process has been extracting these features for over {PATIENCE / 60:.0f} minutes"
            raise UserError(what, where=lock.lock_file, remedy="see whether it hangs; end it and start again") from None


def _build(folder: Path, build: Callable[[Path], Index]) -> Index:
    """Fill a neighbour, then rename it. The caller is the only builder."""
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)  # what a killed builder left
    try:
        unfinished.mkdir()
        index = build(unfinished)
        atomic_json(unfinished / INDEX, index)
        shutil.rmtree(folder, ignore_errors=True)  # a damaged one
        unfinished.replace(folder)
    except OSError as error:
        raise _unwritable(folder, error) from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return index


def _unwritable(folder: Path, error: OSError) -> UserError:
    remedy = f"{error.strerror or error}; make room, or set runtime.cache (--cache) to another place"
    return UserError("cannot write the feature cache", where=folder, remedy=remedy)
