"""What a corpus's layout has to tell: where its recordings lie, and what their names and labels say.

Owns the types that one module a layout fills in. Must not know any of those layouts, nor open a recording.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from common.corpora.manifest import BadFile, Sex, Split
from common.corpora.parts import Part


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording as its layout describes it, before anybody has looked at the audio; `path` is its file's."""

    path: str
    speaker: str
    session: str
    emotion: str | None = None
    sex: Sex | None = None
    part: Part | None = None
    split: Split | None = None

    @property
    def name(self) -> str:
        """Its name in the corpus."""
        return self.path if self.part is None else self.part.name(self.path)


_SEXES: Mapping[str, Sex] = {"f": "female", "female": "female", "m": "male", "male": "male"}
_SPLITS: Mapping[str, tuple[str, ...]] = {
    "train": ("train", "training"),
    "dev": ("dev", "devel", "development", "val", "valid", "validation"),
    "test": ("test", "eval", "evaluation"),
}

Finding = Clip | BadFile
"""What a layout finds: a recording, or a file it cannot make sense of."""
ANYWHERE = ("*",)
"""Markers of a layout that any folder may have."""


@dataclass(frozen=True)
class Layout:
    """How one corpus is published.

    `find(root, **options)` yields its recordings, all emotions of them, with paths relative to the root.
    """

    name: str
    title: str
    example: str
    """A path below the root, as an error shows it to somebody who gave the wrong folder."""
    markers: tuple[str, ...]
    """Patterns of which a right root matches one; none where the corpus is made on the spot."""
    emotions: tuple[str, ...]
    """All that it knows; none where it is unlabelled."""
    find: Callable[..., Iterable[Finding]]
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The choices of each option, the default first."""
    free_labels: bool = False
    """Whether its labels are whatever people wrote, so that any may be mapped to one of a run's."""
    notes: Callable[[Path], Iterable[str]] = lambda root: ()
    """What somebody who reads it should know, a line each."""
    licence: str = ""
    """Under which it is published, where that is known; of one's own recordings it is not."""

    def is_at(self, root: Path) -> bool:
        """Whether the folder (or, for a table, the file) looks like this corpus."""
        if root.is_file():
            return any("/" not in marker and root.match(marker) for marker in self.markers)
        return root.is_dir() and any(next(root.glob(marker), None) is not None for marker in self.markers)


def sex_of(text: str) -> Sex | None:
    """The sex that a letter or a word names, None where it names neither.

    >>> sex_of("F"), sex_of(" Male "), sex_of("")
    ('female', 'male', None)
    """
    return _SEXES.get(text.strip().lower())


def split_of(text: str) -> Split | None:
    """The part of a split that a word names, None where there is none; another word is a ValueError with the reason.

    >>> split_of("Validation"), split_of("")
    ('dev', None)
    """
    word = text.strip().lower()
    for name, words in _SPLITS.items():
        if word in words:
            return cast(Split, name)
    if word:
        raise ValueError(f"unknown split {text!r}; write train, dev, test or nothing")
    return None


def unknown_emotion(path: str, code: str, known: Mapping[str, str], turn: str = "") -> BadFile:
    """The complaint about a code that no rule of the layout explains."""
    place = f" of turn {turn}" if turn else ""
    meanings = ", ".join(f"{letters} ({emotion})" for letters, emotion in known.items())
    return BadFile(path, f"unknown emotion {code!r}{place}; known are {meanings}")


def recordings(root: Path, pattern: str) -> Iterator[tuple[str, str]]:
    """Paths below the root that fit a pattern, each with its bare name; hidden files are no recordings.

    An archive that went through a Mac is full of `._name.wav`, which hold no sound.
    """
    for path in sorted(root.glob(pattern)):
        if not path.name.startswith("."):
            yield path.relative_to(root).as_posix(), path.stem
