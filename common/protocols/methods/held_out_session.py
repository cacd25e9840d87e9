"""Hold out a training session: the protocol that settings are chosen by, so that no test session is looked at.

Owns this protocol.
"""

from collections.abc import Sequence

from common.corpora.manifest import Manifest, Utterance
from common.errors import UserError
from common.protocols import folds
from common.protocols.folds import FoldsSettings
from common.protocols.protocol import Cut, Protocol, Trial


def _cuts(sessions: Sequence[str], settings: FoldsSettings) -> tuple[Cut, ...]:
    usual = folds.cut(sessions, "session", settings.folds)
    if len(usual) < 3:
        remedy = "holding out one beside the test session leaves none to train on; use three or more"
        raise UserError(f"only {len(usual)} folds", where=", ".join(sessions), remedy=remedy)
    following = (*usual[1:], usual[0])
    return tuple(
        Cut(f"{held.name} for {left.name}", tuple(name for name in left.train if name not in held.test), held.test)
        for left, held in zip(usual, following, strict=True)
    )


def _trials(manifest: Manifest, settings: FoldsSettings, seed: int) -> tuple[Trial, ...]:
    def part(chosen: Sequence[str]) -> Manifest:
        def belongs(utterance: Utterance) -> bool:
            return utterance.session in chosen

        return manifest.where(belongs)

    return tuple(Trial(one.name, part(one.train), part(one.test)) for one in _cuts(manifest.sessions, settings))


PROTOCOL = Protocol(
    name="held-out-session",
    about="For each fold, its test session is put away and the next session is scored: choose settings by this.",
    Settings=FoldsSettings,
    trials=_trials,
    cuts=_cuts,
)
