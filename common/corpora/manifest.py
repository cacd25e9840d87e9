"""What a corpus holds, as one immutable table.

Owns the utterance, the manifest and its hash. Must not know any corpus's layout, nor how it is cut.
"""

import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from common.corpora.parts import MARK, Part
from common.errors import UserError, UserErrors

Sex = Literal["female", "male"]
Split = Literal["train", "dev", "test"]


@dataclass(frozen=True, slots=True)
class Utterance:
    """One recording, or a part of one; `emotion` is None in an unlabelled corpus.

    Args:
        path: its name in the corpus: the file, relative to the manifest's root, and which part of it, if it is one.
        part: the seconds of it, where it is not all of the file.
        split: where the corpus's own split has it, where there is one.
    """

    path: str
    speaker: str
    session: str
    seconds: float
    emotion: str | None = None
    sex: Sex | None = None
    part: Part | None = None
    split: Split | None = None

    @property
    def file(self) -> str:
        """The file that it is in, relative to the manifest's root.

        >>> Utterance("a.wav#t=1,2", "ann", "one", 1.0, part=Part(1, 2)).file
        'a.wav'
        """
        return self.path if self.part is None else self.path.rpartition(MARK)[0]


@dataclass(frozen=True, slots=True)
class BadFile:
    """A file that could not be used, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Manifest:
    """All utterances of a corpus, sorted by path. The label order is part of its identity, the root not."""

    corpus: str
    root: Path
    labels: tuple[str, ...]
    utterances: tuple[Utterance, ...]
    skipped: tuple[BadFile, ...] = field(default=(), compare=False)
    left_out: Mapping[str, int] = field(default_factory=dict, compare=False)
    """Recordings of emotions that are not among the labels, by emotion."""
    source: Path | None = field(default=None, compare=False)
    """What was named: the root, or a table in it."""
    notes: tuple[str, ...] = field(default=(), compare=False)
    """What somebody who reads it should know."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "utterances", tuple(sorted(self.utterances, key=lambda u: u.path)))
        twice = [path for path, count in Counter(u.path for u in self.utterances).items() if count > 1]
        unknown = sorted({u.emotion for u in self.utterances if u.emotion is not None} - set(self.labels))
        problems = [f"{path}: stands twice in the corpus" for path in twice]
        problems += [f"unknown emotion {emotion!r}: the labels are {', '.join(self.labels)}" for emotion in unknown]
        if problems:
            raise UserErrors(f"corpus {self.corpus} at {self.root}: {len(problems)} problem(s)", problems)

    def __len__(self) -> int:
        return len(self.utterances)

    @property
    def sessions(self) -> tuple[str, ...]:
        """Session names in sorted order."""
        return tuple(sorted({u.session for u in self.utterances}))

    @property
    def speakers(self) -> tuple[str, ...]:
        """Speaker names in sorted order."""
        return tuple(sorted({u.speaker for u in self.utterances}))

    @property
    def counts(self) -> tuple[int, ...]:
        """Utterances of each label, in label order."""
        counted = Counter(u.emotion for u in self.utterances)
        return tuple(counted[label] for label in self.labels)

    @property
    def held(self) -> tuple[bool, ...]:
        """Whether there is an utterance of each label, in label order."""
        return tuple(count > 0 for count in self.counts)

    @property
    def seconds(self) -> float:
        """Length of all speech."""
        return math.fsum(u.seconds for u in self.utterances)

    def content_hash(self) -> str:
        """Sixteen characters over every row and the label order; the same wherever the corpus lies."""
        rows = [
            (u.path, u.speaker, u.session, u.seconds, u.emotion, u.sex, *([u.split] if u.split else []))
            for u in self.utterances
        ]
        return hashlib.sha256(json.dumps([self.corpus, self.labels, rows]).encode()).hexdigest()[:16]

    def shared_speakers(self) -> dict[str, tuple[str, ...]]:
        """Speakers who stand in several sessions, with those sessions: folds by session would leak them."""
        sessions = defaultdict(set)
        for utterance in self.utterances:
            sessions[utterance.speaker].add(utterance.session)
        return {speaker: tuple(sorted(names)) for speaker, names in sorted(sessions.items()) if len(names) > 1}

    def require_every_label(self) -> None:
        """Refuse to learn an emotion of which there is not one utterance, in whichever session."""
        if missing := [label for label, held in zip(self.labels, self.held, strict=True) if not held]:
            where = f"corpus {self.corpus}, sessions {', '.join(self.sessions)}"
            there = json.dumps([label for label in self.labels if label not in missing])
            remedy = f"leave it out with --set 'corpus.emotions={there}', or add recordings of it"
            raise UserError(f"no session holds speech that is {' or '.join(missing)}", where=where, remedy=remedy)

    def where(self, keep: Callable[[Utterance], bool]) -> "Manifest":
        """The part of the corpus that `keep` accepts."""
        return replace(self, utterances=tuple(u for u in self.utterances if keep(u)))

    def label_index(self, utterance: Utterance) -> int:
        """The class number of a labelled utterance."""
        if utterance.emotion is None:
            raise UserError("an unlabelled utterance has no class", where=utterance.path)
        return self.labels.index(utterance.emotion)
