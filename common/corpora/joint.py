"""Several corpora as one: a folder of them, each below its own name, as `emodb=EMO-DB` and `ravdess=RAVDESS` say.

Owns how their sessions and speakers are told apart: each carries the name of its corpus. Must not know any other
layout.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from common.corpora.layout import ANYWHERE, Clip, Finding, Layout
from common.corpora.manifest import BadFile
from common.corpora.reading import check_root
from common.errors import UserError
from common.registry import Registry

MARK = "__"
"""Between a corpus's name and that of a session or speaker; a site's name may hold it."""


def corpus_of(session: str) -> str:
    """The corpus that a session of a joint one is from; nothing where it is of no joint one.

    >>> corpus_of("emodb__03+08"), corpus_of("03+08")
    ('emodb', '')
    """
    name, mark, _ = session.partition(MARK)
    return name if mark else ""


def layout_of(folders: Mapping[str, str], layouts: Registry[Layout]) -> Layout:
    """The layout of these corpora, each in its folder below the root."""
    if len(folders) < 2:
        remedy = 'name each with its folder, such as corpus.options = ["emodb=EMO-DB", "ravdess=RAVDESS"]'
        raise UserError("a joint corpus is made of two or more", where=", ".join(folders) or "none", remedy=remedy)
    parts = {folder: layouts.get(name) for name, folder in folders.items()}
    if unsaid := [layout.name for layout in parts.values() if layout.markers == ANYWHERE]:
        what = "a corpus of which nobody could say what its paths mean"
        remedy = "an option of a joint corpus names a folder and no pattern: write a table of that folder"
        raise UserError(what, where=", ".join(unsaid), remedy=remedy)
    if made := [layout.name for layout in parts.values() if not layout.markers and layout is not LAYOUT]:
        remedy = "it would be written among the recordings of its folder: join corpora that lie there"
        raise UserError("a corpus that is made on the spot", where=", ".join(made), remedy=remedy)
    if LAYOUT in parts.values() or len(parts) < len(folders):
        remedy = "give each its own folder, and name no joint one among them"
        raise UserError("corpora that cannot be told apart", where=", ".join(folders), remedy=remedy)

    def find(root: Path, **_: str) -> Iterator[Finding]:
        for folder, layout in parts.items():
            check_root(layout, root / folder, layouts)
            defaults = {option: choices[0] for option, choices in layout.options.items()}
            place = _place(root, folder)
            yield from (_named(finding, place, layout.name) for finding in layout.find(root / folder, **defaults))

    emotions = dict.fromkeys(emotion for layout in parts.values() for emotion in layout.emotions)
    options = {name: (folder,) for name, folder in folders.items()}
    return replace(LAYOUT, emotions=tuple(emotions), find=find, options=options)


def _place(root: Path, folder: str) -> str:
    """A folder as paths below the root have it, however it is spelled: else what two corpora hold would pass as two."""
    below = os.path.relpath(root / folder, root)
    return folder if below.startswith("..") else below


def _named(finding: Finding, folder: str, name: str) -> Finding:
    """The same below the joint root, with its corpus's name before its speaker and session."""
    path = (Path(folder) / finding.path).as_posix()
    if isinstance(finding, BadFile):
        return replace(finding, path=path)
    return replace(
        finding, path=path, speaker=f"{name}{MARK}{finding.speaker}", session=f"{name}{MARK}{finding.session}"
    )


def _find(root: Path, **options: str) -> Iterable[Clip]:
    raise UserError("a joint corpus is made of named ones", where=root)


LAYOUT = Layout(
    name="joint",
    title="several corpora as one",
    example="a folder for each corpus that corpus.options names",
    markers=(),  # each part has its own
    emotions=(),
    find=_find,
)
