"""Lhotse manifests: `recordings.jsonl.gz` and `supervisions.jsonl.gz`, or `mine_recordings_train.jsonl` and so on.

Owns this layout. A supervision is an utterance; its emotion and session are fields of its own, or in `custom`. The name
of a file may say which part of a split it is. Only sources that are files are read: no command is run and no address
called.
"""

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from common.corpora.labels import COMMON
from common.corpora.layout import Finding, Layout, split_of
from common.corpora.manifest import BadFile
from common.corpora.parts import SLACK
from common.corpora.rows import clip_of
from common.errors import UserError

_SEXES = {"f": "female", "female": "female", "m": "male", "male": "male"}
Item = Mapping[str, Any]


def _files(root: Path, what: str) -> list[Path]:
    return sorted(path for pattern in (f"*{what}*.jsonl", f"*{what}*.jsonl.gz") for path in root.glob(pattern))


def _items(path: Path) -> Iterator[tuple[str, Item]]:
    """Each line's item, and where it stands."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    item = json.loads(line)
                    if not isinstance(item, dict):
                        raise ValueError(f"line {number} is no item")
                    yield f"{path.name} line {number}", item
    except (OSError, EOFError, ValueError) as error:
        raise UserError("cannot read the manifest", where=path, remedy=str(error)) from None


def _find(root: Path) -> Iterator[Finding]:
    recordings = {str(item.get("id")): item for path in _files(root, "recordings") for _, item in _items(path)}
    for path in _files(root, "supervisions"):
        split = _split_in(path.name)
        for place, item in _items(path):
            yield _clip(item, recordings.get(str(item.get("recording_id"))), split, place)


def _clip(item: Item, recording: Item | None, split: str, place: str) -> Finding:
    if recording is None:
        return BadFile(str(item.get("id") or place), f"no recording {item.get('recording_id')!r} for {place}")
    file, fault = _file_of(recording)
    if fault:
        return BadFile(str(recording.get("id") or place), fault)
    custom = item.get("custom") or {}
    speaker = _text(item, custom, "speaker")
    try:
        start, seconds = float(item.get("start") or 0), float(item["duration"])
        whole = float(recording.get("duration") or 0)
    except (KeyError, TypeError, ValueError):
        return BadFile(file, f"no number of seconds as start and duration in {place}")
    is_all = start == 0 and abs(seconds - whole) <= SLACK
    row = {
        "path": file,
        "emotion": _text(item, custom, "emotion"),
        "speaker": speaker,
        "session": _text(item, custom, "session") or speaker,
        "sex": _SEXES.get(_text(item, custom, "gender").lower(), ""),
        "start": "" if is_all else repr(start),
        "end": "" if is_all else repr(start + seconds),
        "split": _text(item, custom, "split") or split,
    }
    return clip_of(row, place)


def _file_of(recording: Item) -> tuple[str, str]:
    """The file of a recording, and else why it has none that can be read."""
    sources = recording.get("sources")
    if not isinstance(sources, list) or len(sources) != 1 or not isinstance(sources[0], dict):
        return "", "it has not one source; join its channels in one file"
    (source,) = sources
    if source.get("type") != "file":
        return "", f"its source is of the type {source.get('type')!r}; only files are read"
    channels = source.get("channels")
    if isinstance(channels, list) and len(channels) > 1:
        return "", f"it has {len(channels)} channels, and a supervision is of one; write each to a file of its own"
    return str(source.get("source", "")), ""


def _text(item: Item, custom: Item, name: str) -> str:
    value = item.get(name)
    value = custom.get(name) if value is None and isinstance(custom, dict) else value
    return "" if value is None else str(value)


def _split_in(name: str) -> str:
    """The part of a split that a file's name tells.

    >>> _split_in("mine_supervisions_train-clean.jsonl.gz"), _split_in("supervisions.jsonl")
    ('train', '')
    """
    for word in re.split(r"[^a-z]+", name.lower()):
        try:
            found = split_of(word)
        except ValueError:
            continue
        if found:
            return found
    return ""


def _notes(root: Path) -> Iterator[str]:
    read = [*_files(root, "recordings"), *_files(root, "supervisions")]
    yield f"Lhotse manifests: {', '.join(path.name for path in read)}"


LAYOUT = Layout(
    name="lhotse",
    title="Lhotse manifests",
    example="recordings.jsonl.gz and supervisions.jsonl.gz, whose custom fields hold an emotion",
    markers=("*supervisions*.jsonl", "*supervisions*.jsonl.gz"),
    emotions=COMMON,
    find=_find,
    free_labels=True,
    notes=_notes,
)
