"""A recognizer from a bank alone, when every client is gone: the paper's central promise.

Owns which releases go together. Must not know how they were collected.
"""

from collections.abc import Callable
from pathlib import Path

from common.config import Config
from common.errors import UserError, UserErrors
from common.networks.acceleration import Acceleration
from common.training.loggers import require_loggers
from common.training.phases import Interrupted
from common.training.reporters import Reporter, Together
from server.bank import Bank, Banked
from server.events import EventFile
from server.generators import settings_of
from server.plans import EVERYONE
from server.recognizers import Recognizers, require_every_emotion
from server.run import EVENTS

BOOTSTRAP = "recognizer from a bank"
"""What such a run is called among its events."""


def bootstrap(config: Config, bank: Bank, run: Path, reporter: Reporter, stop: Callable[[], bool]) -> Path:
    """Train one recognizer on everything in the bank; the answer is the folder of its model.

    Sizes, labels and features are the generators' own; how the recognizer is trained is the configuration's. It is, bit
    for bit, the one that a campaign of these generators trains under the plan `everyone`. One that was trained here
    before is left as it is, and nothing is written over one of other generators or settings.
    """
    require_loggers(config.runtime.loggers)
    banked = bank.banked()
    config = fitting_config(config, banked, bank.folder)
    require_every_emotion(banked, config.corpus.emotions)
    recognizers = Recognizers(run, config, bank)
    recognizers.refuse_another(EVERYONE, banked)
    recognizers.require_room([banked])
    run.mkdir(parents=True, exist_ok=True)
    events = EventFile(run / EVENTS, config.runtime.loggers)
    with events.during(BOOTSTRAP, Interrupted), Acceleration.of(config.runtime).entered():
        events.stage("train", 1)
        recognizers.train(EVERYONE, banked, Together([events.training(EVERYONE), reporter]), stop)
        events.done("train", EVERYONE)
    recognizers.drop_pool()
    return recognizers.where(EVERYONE)


def fitting_config(config: Config, banked: tuple[Banked, ...], where: Path) -> Config:
    """The configuration with the labels and shared settings that all the releases have."""
    if not banked:
        raise UserError(
            "the bank is empty", where=where, remedy="name a bank with `--bank`; a run keeps its own in bank/"
        )
    first = banked[0].card.tuning
    problems = [
        f"{one.name}: {what} differs from that of {banked[0].name}"
        for one in banked
        for what in ("synthesizer", "settings", "labels", "space", "features", "scaling")
        if getattr(one.card.tuning, what) != getattr(first, what)
    ]
    if problems:
        raise UserErrors(
            f"{where}: generators that do not go together; `eyesoff bank export` takes some apart", problems
        )
    corpus = config.corpus.model_copy(update={"emotions": first.labels})
    known = settings_of(first, where, config)
    methods = config.methods.model_copy(update={"synthesizer": first.synthesizer})
    own = {"corpus": corpus, "features": known.features, "vectors": known.vectors, "methods": methods}
    shared = {"network": first.own.network} if hasattr(first.own, "network") else {}
    return config.model_copy(update={**own, **shared})
