"""What a campaign writes down of its results, and how it is read again: with suspicion, for a disk may have altered it.

Owns the form of `campaign.json` and of the files in `counts/`. Must not know how either came about.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

SCHEMA = 1
Matrix = list[list[int]]
Counts = dict[str, list[Matrix]]
"""Session to its matrices, one or one a speaker."""
Noise = dict[str, float | None]
"""Session to the epsilon of the noise on its counts; None where they are exact."""
Form = TypeVar("Form")


@dataclass(frozen=True)
class Kept:
    """The answers to the recognizer of this digest."""

    recognizer: str
    counts: Counts
    noise: Noise


@dataclass(frozen=True)
class FoldFound:
    """A recognizer: pooled from these sessions, scored at those."""

    name: str
    train: list[str]
    test: list[str]
    counts: Counts
    noise: Noise


@dataclass(frozen=True)
class Found:
    """All that a campaign found."""

    schema: int
    run: str
    preset: str
    identity: str
    labels: list[str]
    sessions: list[str]
    folds: list[FoldFound]
    quarantined: list[dict[str, str]]
    failures: list[dict[str, str]]


_KEPT, _FOUND = TypeAdapter(Kept), TypeAdapter(Found)


def read_counts(path: Path, classes: int) -> Kept | None:
    """What has come of scoring; None where that cannot be read, or is no matrices of so many classes."""
    kept = _read(path, _KEPT)
    return kept if kept and _fit(kept.counts, kept.noise, classes) else None


def read_found(path: Path) -> Found | None:
    """A campaign's results; None where there are none, or none that can be read."""
    found = _read(path, _FOUND)
    if not found or found.schema != SCHEMA:
        return None
    return found if all(_fit(fold.counts, fold.noise, len(found.labels)) for fold in found.folds) else None


def _read(path: Path, form: TypeAdapter[Form]) -> Form | None:
    try:
        return form.validate_json(path.read_bytes(), strict=True)
    except (OSError, ValidationError):
        return None


def _fit(counts: Counts, noise: Noise, classes: int) -> bool:
    return all(_square(matrices, classes) for matrices in counts.values()) and noise.keys() == counts.keys()


def _square(matrices: list[Matrix], classes: int) -> bool:
    return all(len(matrix) == classes and all(len(row) == classes for row in matrix) for matrix in matrices)
