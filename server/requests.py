"""What a campaign asks of its clients, word for word, and what a client must have to be asked.

Owns the terms of every request: run, settings, seeds, digests. Must not know when anything is asked, nor what became of
it: the same campaign asks the same, before and after it was stopped.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor

from common.config import Config
from common.errors import UserError
from common.features.spaces import identity_in, space_of
from common.privacy.moments import Floats
from common.protocols import Cut
from common.recognizers import recognizer
from common.settings import MADE_OF_ONE
from common.spaces import Vectors
from common.synthesizers import synthesizer
from common.synthesizers.synthesizer import Sums
from common.training.pretrained import Pretrained
from common.wire import (
    Ask,
    Code,
    Collect,
    Description,
    Extremes,
    Notice,
    Refusal,
    Reply,
    Score,
    Scoring,
    Summing,
    Tune,
    Tuning,
    Working,
    release_shapes,
    weights_digest,
)
from common.wire.terms import asked_form, refuse_distilling, refuse_promise, refuse_sum
from server.correspondence import Question
from server.roster import Claim


class Requests:
    """The requests of one run."""

    def __init__(self, run: str, config: Config, base: Pretrained | None, *, per_speaker: bool) -> None:
        self._run, self._config, self._per_speaker = run, config, per_speaker
        self._space = space_of(config)
        self._features = identity_in(self._space, config)
        self._scaling = None if base is None else Extremes(low=base.scaling.low, high=base.scaling.high)
        self._synthesizer = synthesizer(config.methods.synthesizer)
        self._settings = self._synthesizer.settings_of(config)
        try:
            refuse_promise(self._synthesizer, self._settings, config.methods.augmentation)
            if config.release.distilled:
                refuse_distilling(self._synthesizer)
        except ValueError as error:
            raise UserError(str(error)) from None
        starts = self._synthesizer.base(self._settings, config.corpus.classes)
        if starts and base is None:
            raise ValueError(f"{self._synthesizer.name} starts from networks")
        self._base = base.pair.learned() if starts and base is not None else {}
        self._weights = weights_digest({"base": self._base}) if starts else None
        self._refuse_sum()
        release_shapes(self.tuning("any"))  # a form that this synthesizer has not is refused before anybody is asked

    def _refuse_sum(self) -> None:
        """What cannot be made of a sum is refused before anybody is asked."""
        if not self._config.release.summed:
            return
        try:
            refuse_sum(self._synthesizer)
        except ValueError as error:
            raise UserError(str(error)) from None
        self.made_of(np.zeros(self._sums.size(self._settings, self._config.corpus.classes)))

    @property
    def _sums(self) -> Sums[Any]:
        if self._synthesizer.sums is None:
            raise ValueError(f"{self._synthesizer.name} is not made of sums")
        return self._synthesizer.sums

    def made_of(self, total: Floats) -> dict[str, Tensor]:
        """What the synthesizer releases of a sum over sites."""
        return self._sums.released(total, self._settings, self._space, self._config.corpus.classes)

    def summing(self, session: str, name: str, sites: tuple[str, ...]) -> Summing:
        """What a session is asked to add to, in the round of this name."""
        return Summing(tuning=self.tuning(session), name=name, sites=sites)

    @property
    def base(self) -> Mapping[str, Tensor]:
        """The public networks that a tuning starts from; none where it starts from none."""
        return self._base

    def ask(self, client: str) -> Question:
        """What do you have?"""
        return Question(client, "", Ask(run=self._run))

    def notice(self, claim: Claim) -> Question:
        """Somebody else says to be this session, or its key is not yours."""
        return Question(claim.client, claim.session, Notice(run=self._run, session=claim.session))

    def misfit(self, told: Description) -> str:
        """Why a client cannot take part, if so."""
        labels = self._config.corpus.emotions
        if told.labels != labels:
            return f"label order {', '.join(told.labels)} is not {', '.join(labels)}"
        section = "vectors" if isinstance(self._space, Vectors) else "features"
        have = told.vectors if section == "vectors" else told.features
        if have != self._features:
            return f"{section} {have} are not {self._features}: set [{section}] alike on both sides"
        return ""

    def tuning(self, session: str) -> Tuning:
        """What a session is asked to do."""
        config = self._config
        return Tuning(
            run=self._run,
            session=session,
            synthesizer=self._synthesizer.name,
            settings=self._settings.model_dump(mode="json"),
            labels=config.corpus.emotions,
            space=self._space,
            features=self._features,
            scaling=self._scaling,
            weights=self._weights,
            **asked_form(config.finetuning.released_as, config.release),
            distilled=config.release.distilled,
            summed=config.release.summed,
            augmentation=config.methods.augmentation,
            made_of_one=config.methods.made_of_one if config.methods.augmentation != "none" else MADE_OF_ONE,
        )

    def tune(self, client: str, session: str) -> Question:
        """Tune the networks of this name, which the site may have."""
        request = Tune(tuning=self.tuning(session), shipped=False, base={})
        return Question(client, session, request)

    def follow_tuning(self, question: Question, reply: Reply) -> Question | None:
        """Here are the networks, for a site that lacks them; and are you done, for as long as it is at work."""
        match reply:
            case Refusal(code=Code.BASE_NEEDED) if isinstance(question.request, Tune) and not question.request.shipped:
                shipped = question.request.model_copy(update={"shipped": True})
                return replace(question, request=shipped, weights=lambda: {"base": self._base})
            case Working():
                return Question(question.client, question.session, Collect(tuning=self.tuning(question.session)))
        return None

    def score(
        self, client: str, session: str, fold: Cut, digest: str, load: Callable[[], Mapping[str, Tensor]]
    ) -> Question:
        """Try the recognizer of this fold, which has this digest."""
        config = self._config
        method = recognizer(config.methods.recognizer)
        scoring = Scoring(
            run=self._run,
            session=session,
            fold=fold.name,
            recognizer=method.name,
            settings=method.settings_of(config).model_dump(mode="json"),
            labels=config.corpus.emotions,
            space=self._space,
            features=self._features,
            scaling=self._scaling,
            per_speaker=self._per_speaker,
            weights=digest,
        )
        request = Score(scoring=scoring, recognizer={})
        return Question(client, session, request, lambda: {"recognizer": load()})

    def score_together(self, question: Question, reply: Reply) -> Question | None:
        """All speakers in one matrix, then, where the site's policy does not let them apart."""
        match question.request, reply:
            case Score(scoring=scoring) as request, Refusal(code=Code.SPEAKERS_FORBIDDEN) if scoring.per_speaker:
                together = scoring.model_copy(update={"per_speaker": False})
                return replace(question, request=request.model_copy(update={"scoring": together}))
        return None
