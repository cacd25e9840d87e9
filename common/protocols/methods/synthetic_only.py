"""Synthetic only: more and more sets of samples, and no real speech beside them.

Owns this protocol (Yi and Mak 2020, section V-C).
"""

from common.corpora.manifest import Manifest
from common.protocols.methods.augmentation_curve import Settings, curve
from common.protocols.protocol import Protocol, Trial


def _trials(manifest: Manifest, settings: Settings, seed: int) -> tuple[Trial, ...]:
    return curve(manifest, settings, real=False)


PROTOCOL = Protocol(
    name="synthetic-only",
    about="1 to 10 sets of samples, each as large as the training part, and nothing real.",
    Settings=Settings,
    trials=_trials,
    paper="Yi and Mak, IEEE TNNLS 2020",
)
