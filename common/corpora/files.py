"""Any folder whose paths say who speaks and how: a pattern of the user's tells what each place in a path means.

Owns the pattern. Must not know any other layout. A table is better where paths do not say it all.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from common.corpora.labels import COMMON
from common.corpora.layout import ANYWHERE, Finding, Layout, recordings, sex_of
from common.corpora.manifest import BadFile
from common.corpora.rows import clip_of
from common.errors import UserError

PATTERN = "pattern"
NAMES = ("emotion", "speaker", "session", "sex", "split")
SOUNDS = frozenset({".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif"})
WRITTEN = "write it as --option 'pattern={speaker}/{emotion}_{}', where {} is anything and {number} digits"
_PLACE = re.compile(r"\{([a-z]*)\}")


def layout_of(options: Mapping[str, str]) -> Layout:
    """The layout of the paths that fit the pattern among the options."""
    pattern = options.get(PATTERN, "")
    if not pattern:
        raise UserError("nobody said what the paths mean", where="corpus files", remedy=WRITTEN)
    return replace(LAYOUT, find=partial(_find, _compiled(pattern)), options={PATTERN: (pattern,)})


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression of a path without its suffix.

    Each place takes as little as it can, and at least one letter, and none goes over a slash.

    >>> _compiled("{speaker}/{emotion}{number}").fullmatch("DC/sa01").groupdict()
    {'speaker': 'DC', 'emotion': 'sa'}
    """
    names = _PLACE.findall(pattern)
    unknown = sorted({*names} - {*NAMES, "", "number"})
    rest = _PLACE.sub("", pattern)
    if unknown or "{" in rest or "}" in rest or "emotion" not in names:
        what = f"no such place: {', '.join(unknown)}" if unknown else "a pattern that cannot be read"
        remedy = f"there are {', '.join(NAMES)}, number and {{}}, and emotion is needed; {WRITTEN}"
        raise UserError(what, where=pattern, remedy=remedy)
    expression, seen = "", set[str]()
    for text, name in zip(_PLACE.split(pattern)[::2], [*names, None], strict=True):
        expression += re.escape(text)
        if name in NAMES:
            expression += f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+?)"
            seen.add(name)
        elif name is not None:
            expression += "[0-9]+" if name == "number" else "[^/]+?"
    return re.compile(expression)


def _find(form: re.Pattern[str], root: Path, **_: str) -> Iterator[Finding]:
    for path, _name in recordings(root, "**/*"):
        if Path(path).suffix.lower() not in SOUNDS:
            continue
        fits = form.fullmatch(path[: -len(Path(path).suffix)])
        if fits is None:
            yield BadFile(path, "its path does not fit the pattern")
        else:
            yield _clip(path, fits.groupdict())


def _clip(path: str, told: Mapping[str, str]) -> Finding:
    """By what its path tells; without a session each speaker is one, and without either all is one session."""
    speaker = told.get("speaker", "")
    session = told.get("session") or speaker or "all"
    sex = told.get("sex", "") if sex_of(told.get("sex", "")) else ""
    return clip_of({**told, "path": path, "session": session, "speaker": speaker, "sex": sex}, "its path")


LAYOUT = Layout(
    name="files",
    title="a folder whose paths say who speaks and how",
    example="recordings, such as ann/angry_01.wav, and --option pattern= says what a path means",
    markers=ANYWHERE,
    emotions=COMMON,
    find=_find,
    free_labels=True,
)
