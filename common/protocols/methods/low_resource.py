"""Low resource: a part of the real speech, with samples of a synthesizer that has heard all of it, or that part alone.

Owns this protocol (Sahu et al., section 5.2.2). Where the synthesizer has heard all, it has seen what a recognizer of
the part alone has not: that is the paper's way, and `low_resource.heard = "same"` is the honest one.
"""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from common.corpora.manifest import Manifest
from common.protocols import folds
from common.protocols.drawing import evenly, first_of_each, require_every_emotion
from common.protocols.folds import By, FoldsConfig
from common.protocols.protocol import Filling, Point, Protocol, Trial
from common.settings import Count, Positive, Section

Percent = Annotated[float, Field(gt=0, le=100)]


class LowResourceConfig(Section):
    """How much real speech, and how many samples beside it."""

    percent: tuple[Percent, ...] = Field(
        (10, 25, 50, 80, 100), min_length=1, description="of each emotion's utterances"
    )
    samples: tuple[Count, ...] = Field((0, 600, 2000, 6000), min_length=1, description="in all, emotions alike")
    heard: Literal["all", "same"] = Field("all", description="what the synthesizer has heard: all, or the same part")
    draws: Positive = Field(3, le=100, description="draws of the part; a larger part of one holds the smaller ones")
    by: By = Field("session", description="whom a fold leaves out: a session or a speaker")


class Settings(Section):
    """Of this protocol."""

    low_resource: LowResourceConfig = LowResourceConfig()
    folds: FoldsConfig = FoldsConfig()


def _trials(manifest: Manifest, settings: Settings, seed: int) -> tuple[Trial, ...]:
    own, whole = settings.low_resource, folds.trials(manifest, settings.low_resource.by, settings.folds)
    return tuple(
        _part_of(trial, percent, samples, draw, own, seed)
        for percent in own.percent
        for samples in own.samples
        for draw in range(1, own.draws + 1)
        for trial in whole
    )


def _part_of(trial: Trial, percent: float, samples: int, draw: int, own: LowResourceConfig, seed: int) -> Trial:
    def kept(emotion: str | None, count: int) -> int:
        return round(count * percent / 100)

    train = first_of_each(trial.train, lambda one: one.emotion, kept, seed, "low resource", draw)
    what = f"fold {trial.name}: {percent:g} %"
    require_every_emotion(trial.train, train, what, "raise the least of low_resource.percent")
    return replace(
        trial,
        train=train,
        heard=trial.train if own.heard == "all" else train,
        filling=Filling(real=True, samples=evenly(samples, trial.train.labels)),
        arm=f"{percent:g} % + {samples}",
        repeat=draw,
        point=Point("% of the real speech", percent, f"{samples} samples"),
    )


PROTOCOL = Protocol(
    name="low-resource",
    about="10 to 100 % of the real speech, with 0 to 6,000 samples beside it.",
    Settings=Settings,
    trials=_trials,
    paper="Sahu et al., 2018 and 2020",
    beside=True,
)
