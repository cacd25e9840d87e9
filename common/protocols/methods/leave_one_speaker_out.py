"""Leave one speaker out: the protocol of corpora that were not recorded in sessions, or whose sessions are few.

Owns this protocol.
"""

from common.corpora.manifest import Manifest
from common.protocols import folds
from common.protocols.folds import FoldsSettings
from common.protocols.protocol import Protocol, Trial


def _trials(manifest: Manifest, settings: FoldsSettings, seed: int) -> tuple[Trial, ...]:
    return folds.trials(manifest, "speaker", settings.folds)


PROTOCOL = Protocol(
    name="leave-one-speaker-out",
    about="Each speaker is the test of one fold, whose training part is all others.",
    Settings=FoldsSettings,
    trials=_trials,
    paper="Yi and Mak, IEEE TNNLS 2020",
)
