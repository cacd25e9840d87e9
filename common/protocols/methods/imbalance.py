"""Imbalance: most of one class of the training part is gone, for each class in turn, and the test is untouched.

Owns this protocol (Chatziagapi et al. 2019, section 3.2). Whatever fills the class up again meets the same removal.
"""

from dataclasses import replace

from pydantic import Field

from common.corpora.manifest import Manifest
from common.errors import UserError
from common.protocols import folds
from common.protocols.drawing import first_of_each, require_every_emotion, up_to_the_largest
from common.protocols.folds import By, FoldsConfig
from common.protocols.protocol import Filling, Protocol, Trial
from common.settings import Positive, Section


class ImbalanceConfig(Section):
    """Which part of a class is gone."""

    removed: float = Field(0.8, gt=0, lt=1, description="share of the class's utterances, of each session alike")
    spared: tuple[str, ...] = Field(("neutral",), description="emotions that stay whole")
    draws: Positive = Field(3, le=100, description="removals by chance; how many is open in their paper")
    by: By = Field("session", description="whom a fold leaves out: a session or a speaker")


class Settings(Section):
    """Of this protocol."""

    imbalance: ImbalanceConfig = ImbalanceConfig()
    folds: FoldsConfig = FoldsConfig()


def _trials(manifest: Manifest, settings: Settings, seed: int) -> tuple[Trial, ...]:
    own = settings.imbalance
    _check_spared(own.spared, manifest.labels)
    if not (rare := [emotion for emotion in manifest.labels if emotion not in own.spared]):
        remedy = "leave one at least out of imbalance.spared"
        raise UserError("every emotion is spared", where=", ".join(own.spared), remedy=remedy)
    whole = folds.trials(manifest, own.by, settings.folds)
    return tuple(
        _without(trial, emotion, draw, own, seed)
        for emotion in rare
        for draw in range(1, own.draws + 1)
        for trial in whole
    )


def _check_spared(spared: tuple[str, ...], labels: tuple[str, ...]) -> None:
    """Refuse a mistyped emotion, which would be made rare; a corpus without the usual ones is none."""
    strange = [emotion for emotion in spared if emotion not in labels]
    if strange and spared != ImbalanceConfig().spared:
        remedy = f"imbalance.spared may name {', '.join(labels)}"
        raise UserError("an emotion is spared that does not count", where=", ".join(strange), remedy=remedy)


def _without(trial: Trial, emotion: str, draw: int, own: ImbalanceConfig, seed: int) -> Trial:
    def kept(group: tuple[str, str | None], count: int) -> int:
        return count - round(own.removed * count) if group[1] == emotion else count

    train = first_of_each(trial.train, lambda one: (one.session, one.emotion), kept, seed, "imbalance", draw)
    what = f"fold {trial.name}: removing {own.removed:.0%} of {emotion}"
    require_every_emotion(trial.train, train, what, "lower imbalance.removed, or spare the emotion")
    filling = Filling(real=True, samples=up_to_the_largest(train))
    return replace(trial, train=train, filling=filling, repeat=draw, arm=emotion, watched=emotion)


PROTOCOL = Protocol(
    name="imbalance",
    about="80 % of one emotion of the training part is gone, for each but neutral; samples fill it up again.",
    Settings=Settings,
    trials=_trials,
    paper="Chatziagapi et al., Interspeech 2019",
    beside=True,
)
