"""Folds, as protocols share them: each session or speaker left out once, or groups of them.

Owns who is left out together. Must not know what is trained on the rest.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from common.corpora.manifest import Manifest, Utterance
from common.errors import UserError, UserErrors
from common.protocols.protocol import Cut, Trial
from common.settings import Count, Section

By = Literal["session", "speaker"]


class FoldsConfig(Section):
    """How many folds a corpus is cut into."""

    number: Count = Field(0, description="of folds; 0 is one for each session or speaker, whichever is left out")


class FoldsSettings(Section):
    """Of a protocol that has none but these."""

    folds: FoldsConfig = FoldsConfig()


def cut(names: Sequence[str], by: By, settings: FoldsConfig) -> tuple[Cut, ...]:
    """Each name left out once, alone or with others.

    >>> cut(["a", "b", "c"], "session", FoldsConfig(number=2))
    (Cut(name='fold-1', train=('b',), test=('a', 'c')), Cut(name='b', train=('a', 'c'), test=('b',)))
    """
    if len(names) < 2:
        remedy = f"leaving one {by} out needs two or more"
        raise UserError(f"only one {by}: nothing is left out", where=", ".join(names), remedy=remedy)
    number = settings.number or len(names)
    if not 2 <= number <= len(names):
        remedy = f"set folds.number from 2 to {len(names)}, or to 0 for a fold each"
        raise UserError(f"{number} fold{'s' * (number > 1)} of {len(names)} {by}s", where="folds.number", remedy=remedy)
    groups = [tuple(names[first::number]) for first in range(number)]
    return tuple(
        Cut(out[0] if len(out) == 1 else f"fold-{place}", tuple(name for name in names if name not in out), out)
        for place, out in enumerate(groups, start=1)
    )


def trials(manifest: Manifest, by: By, settings: FoldsConfig) -> tuple[Trial, ...]:
    """A trial for each fold, with all of the speech of both its sides."""
    if by == "session" and (shared := manifest.shared_speakers()):
        raise UserErrors(
            f"corpus {manifest.corpus} at {manifest.root}: speakers in several sessions; give each to one session",
            [f"speaker {speaker} is in {' and '.join(sessions)}" for speaker, sessions in shared.items()],
        )
    names = manifest.sessions if by == "session" else manifest.speakers

    def part(chosen: Sequence[str]) -> Manifest:
        def belongs(utterance: Utterance) -> bool:
            return (utterance.session if by == "session" else utterance.speaker) in chosen

        return manifest.where(belongs)

    return tuple(Trial(one.name, part(one.train), part(one.test)) for one in cut(names, by, settings))
