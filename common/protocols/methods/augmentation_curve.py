"""Augmentation curve: real speech with more and more sets of samples beside it.

Owns this protocol (Yi and Mak 2020, section V-B). The last point is fixed beforehand: the highest one of a curve would
be chosen by looking at the test.
"""

from dataclasses import replace

from pydantic import Field

from common.corpora.manifest import Manifest
from common.protocols import folds
from common.protocols.drawing import sets_of
from common.protocols.folds import By, FoldsConfig
from common.protocols.protocol import Filling, Point, Protocol, Trial
from common.settings import Positive, Section


class CurveConfig(Section):
    """How many sets of samples, each of the size and the emotions of the training part."""

    sets: Positive = Field(10, le=100, description="at the end of the curve, which is the one that is reported")
    draws: Positive = Field(3, le=100, description="draws of the samples")
    by: By = Field("session", description="whom a fold leaves out: a session or a speaker")


class Settings(Section):
    """Of this protocol."""

    curve: CurveConfig = CurveConfig()
    folds: FoldsConfig = FoldsConfig()


def curve(manifest: Manifest, settings: Settings, *, real: bool) -> tuple[Trial, ...]:
    """A trial for each fold, number of sets and draw; without any set there is nothing to draw."""
    own = settings.curve
    whole = folds.trials(manifest, own.by, settings.folds)
    points = [(number, draw) for number in range(1, own.sets + 1) for draw in range(1, own.draws + 1)]
    return tuple(
        replace(
            trial,
            filling=Filling(real, sets_of(trial.train, number)),
            arm=f"q = {number}",
            repeat=draw,
            point=Point("sets of samples", number),
        )
        for number, draw in ([(0, 0)] if real else []) + points
        for trial in whole
    )


def _trials(manifest: Manifest, settings: Settings, seed: int) -> tuple[Trial, ...]:
    return curve(manifest, settings, real=True)


PROTOCOL = Protocol(
    name="augmentation-curve",
    about="Real speech and 0 to 10 sets of samples beside it, each as large as the training part.",
    Settings=Settings,
    trials=_trials,
    paper="Yi and Mak, IEEE TNNLS 2020",
    beside=True,
)
