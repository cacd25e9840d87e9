"""Leave one session out: the usual protocol of corpora that were recorded in sessions.

Owns this protocol.
"""

from collections.abc import Sequence

from common.corpora.manifest import Manifest
from common.protocols import folds
from common.protocols.folds import FoldsSettings
from common.protocols.protocol import Cut, Protocol, Trial


def _trials(manifest: Manifest, settings: FoldsSettings, seed: int) -> tuple[Trial, ...]:
    return folds.trials(manifest, "session", settings.folds)


def _cuts(sessions: Sequence[str], settings: FoldsSettings) -> tuple[Cut, ...]:
    return folds.cut(sessions, "session", settings.folds)


PROTOCOL = Protocol(
    name="leave-one-session-out",
    about="Each session is the test of one fold, whose training part is all others.",
    Settings=FoldsSettings,
    trials=_trials,
    cuts=_cuts,
    paper="Busso et al., Language Resources and Evaluation 2008",
)
