"""Any folder whose paths say who speaks and how: a pattern of the user's tells what each place in a path means.

Owns the pattern. Must not know any other layout. A table is better where paths do not say it all.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from common.corpora.labels import COMMON, composed
from common.corpora.layout import ANYWHERE, Finding, Layout, recordings, sex_of
from common.corpora.manifest import BadFile
from common.corpora.rows import clip_of
from common.errors import UserError

PATTERN = "pattern"
NAMES = ("emotion", "speaker", "session", "sex", "split")
NUMBER = "number"
SOUNDS = frozenset({".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif"})
WRITTEN = "write it as --option 'pattern={speaker}/{emotion}_{}', where {} is anything and {number} digits"
_PLACE = re.compile(r"\{([a-z]*)(?::([1-9][0-9]{0,2}))?\}")


def layout_of(options: Mapping[str, str]) -> Layout:
    """The layout of the paths that fit the pattern among the options."""
    pattern = options.get(PATTERN, "")
    if not pattern:
        raise UserError("nobody said what the paths mean", where="corpus files", remedy=WRITTEN)
    return replace(LAYOUT, find=partial(_find, _compiled(composed(pattern))), options={PATTERN: (pattern,)})


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression of a path without its suffix.

    Each place takes as little as it can, and at least one letter, or as many as it says; none goes over a slash.

    >>> _compiled("{speaker}/{emotion}{number}").fullmatch("DC/sa01").groupdict()
    {'speaker': 'DC', 'emotion': 'sa'}
    """
    places = list(_PLACE.finditer(pattern))
    names = [place[1] for place in places]
    rest = _PLACE.sub("", pattern)
    unknown = sorted({*names} - {*NAMES, "", NUMBER})
    if unknown or "{" in rest or "}" in rest or "emotion" not in names:
        what = f"no such place: {', '.join(unknown)}" if unknown else "a pattern that cannot be read"
        remedy = f"there are {', '.join(NAMES)}, {NUMBER} and {{}}, and emotion is needed; {WRITTEN}"
        raise UserError(what, where=pattern, remedy=remedy)
    expression, end, seen = "", 0, set[str]()
    for place in places:
        expression += re.escape(pattern[end : place.start()]) + _expression(place[1], place[2], seen)
        end = place.end()
    return re.compile(expression + re.escape(pattern[end:]))


def _expression(name: str, width: str | None, seen: set[str]) -> str:
    """Of one place; a name that was seen before stands for the same text again."""
    if name in seen:
        return f"(?P={name})"
    letters = ("[0-9]" if name == NUMBER else "[^/]") + (f"{{{width}}}" if width else "+?")
    if name not in NAMES:
        return letters
    seen.add(name)
    return f"(?P<{name}>{letters})"


def _find(form: re.Pattern[str], root: Path, **_: str) -> Iterator[Finding]:
    for path, _name in recordings(root, "**/*"):
        suffix = Path(path).suffix
        if suffix.lower() not in SOUNDS or any(part.startswith(".") for part in Path(path).parts):
            continue  # a hidden folder is a bin or a backup
        fits = form.fullmatch(composed(path.removesuffix(suffix)))
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
