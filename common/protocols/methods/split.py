"""Split: train and test as the corpus itself says, in the column `split` of a table or in the way it is published.

Owns this protocol. What is chosen by looking at a score is chosen on the development part, and never on the test.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from common.corpora.manifest import Manifest
from common.errors import UserError
from common.protocols.protocol import Protocol, Trial
from common.settings import Section


class SplitConfig(Section):
    """Which part of a corpus's own split is tested, and what its speakers may."""

    tested: Literal["test", "dev"] = Field("test", description="part; the other one of the two is left out")
    shared_speakers: Literal["refused", "told"] = Field(
        "refused", description="speakers in both parts: an error, or told with the results, which then say too much"
    )


class Settings(Section):
    """Of this protocol."""

    split: SplitConfig = SplitConfig()


def _trials(manifest: Manifest, settings: Settings, seed: int) -> tuple[Trial, ...]:
    own = settings.split
    train, test = (_part(manifest, name) for name in ("train", own.tested))
    shared = sorted({*train.speakers} & {*test.speakers})
    if shared and own.shared_speakers == "refused":
        remedy = 'move them to one part, or set split.shared_speakers to "told"'
        raise UserError(f"speakers in both train and {own.tested}", where=_shown(shared), remedy=remedy)
    return (Trial(own.tested, train, test, shared=tuple(shared)),)


def _part(manifest: Manifest, name: str) -> Manifest:
    part = manifest.where(lambda utterance: utterance.split == name)
    if not len(part):
        there = sorted({utterance.split for utterance in manifest.utterances if utterance.split})
        told = f"its split has {' and '.join(there)}" if there else "it has none: give its table a column split"
        raise UserError(f"the corpus has no utterance of the part {name}", where=manifest.corpus, remedy=told)
    return part


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


PROTOCOL = Protocol(
    name="split",
    about="Trained on the part train of the corpus's own split, and tested on the part test, or dev.",
    Settings=Settings,
    trials=_trials,
)
