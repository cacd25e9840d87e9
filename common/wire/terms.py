"""The terms of messages: names and numbers within bounds, and what defines a tuning, a scoring and a release.

Owns the bounds of every field. Must not know which message holds which. No field is free text: names, words of fixed
lists, numbers.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from common.augmentation import STAYS
from common.recognizers import RECOGNIZERS, Recognizer
from common.release import Rank, ReleaseConfig, refuse_without_rank
from common.settings import (
    MADE_OF_ONE,
    Augmented,
    Labels,
    MadeOfOne,
    Section,
    hash_identity,
)
from common.spaces import Name, Space
from common.synthesizers import SYNTHESIZERS, Synthesizer
from common.weights import ROWS, Form
from common.wire.codes import Code, WireError
from common.wire.weights import Precision

Settings = dict[str, Any]
"""Of a method, as plain data; which there may be is the method's to say."""
Version = Annotated[str, Field(pattern=r"^[0-9][0-9A-Za-z.+]{0,31}$")]
Identity = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Number = Annotated[int, Field(ge=0, le=10_000_000)]
KeptRank = Annotated[Rank, Field(exclude_if=lambda rank: rank == "full")]
"""Told where it is not all, so that what there was before there were ranks is spelled as it was."""
Summed = Annotated[bool, Field(exclude_if=lambda summed: not summed)]
"""Whether a release is made of a sum over sites, told likewise."""
Distilled = Annotated[bool, Field(exclude_if=lambda distilled: not distilled)]
"""Whether what a rank keeps is trained to make what the whole makes, told likewise."""
Counts = Annotated[tuple[Number, ...], Field(max_length=16)]
Known = Annotated[tuple[bool, ...], Field(max_length=16)]
Level = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
Noised = Annotated[int, Field(ge=-10_000_000, le=10_000_000)]
"""A count that may carry noise, and then be negative."""
Matrix = Annotated[tuple[Annotated[tuple[Noised, ...], Field(max_length=16)], ...], Field(max_length=16)]


class Extremes(Section):
    """The log-mel levels that map to -1 and 1."""

    low: Level
    high: Level

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError("low is not below high")
        return self


class Recipe(Section):
    """What a site is asked to run: a synthesizer, all of its settings, what it is fitted to, the form of its release.

    A site's policy lists the digests of the recipes that it accepts. Labels are no part of one: a site has its own.
    """

    synthesizer: Name
    settings: Settings
    space: Space
    precision: Precision
    rank: KeptRank = "full"
    distilled: Distilled = False
    summed: Summed = False
    augmentation: Augmented = "none"
    made_of_one: MadeOfOne = MADE_OF_ONE

    @property
    def digest(self) -> str:
        """Names the recipe: 64 characters."""
        return hashlib.sha256(canonical(self).encode("ascii")).hexdigest()

    @property
    def drawn_by(self) -> str:
        """What latents hang on: a release that was made smaller is drawn from as if it had not been."""
        whole = {"rank": "full", "precision": Precision.FP16, "distilled": False}
        whole = {} if self.form.is_whole else whole
        return self.model_copy(update=whole).digest

    @property
    def form(self) -> Form:
        """That of its release."""
        return form_of(self.rank, self.precision)


def form_of(rank: Rank, precision: Precision) -> Form:
    """What is kept of weights."""
    return Form(None if rank == "full" else rank, precision is Precision.INT8)


def precision_in(precision: Precision, name: str) -> Precision:
    """Of one tensor of a release: in 8 bits, what is no row is in fp16."""
    if precision is not Precision.INT8:
        return precision
    return Precision.INT8 if name.endswith(ROWS) else Precision.FP16


def asked_form(released_as: str, release: ReleaseConfig) -> dict[str, Any]:
    """The fields of a recipe that say in which form a release leaves, from the settings that a person makes."""
    precision = Precision.INT8 if release.eight_bit else Precision[released_as.upper()]
    return {"precision": precision, "rank": release.rank}


def base_digest(weights: str, scaling: Extremes | None) -> str:
    """Names public networks together with the extremes that scale speech for them: 64 characters."""
    scaled = "" if scaling is None else canonical(scaling)
    return hashlib.sha256(f"{weights}\n{scaled}".encode("ascii")).hexdigest()


class Tuning(Section):
    """What defines one tuning, all of it chosen by the server; the release repeats it.

    No seed is among it: every draw at a site comes from a secret of the site's own. Which settings a synthesizer has is
    the registry's to say: those that it does not know, or would spell otherwise, are no tuning.
    """

    run: Name
    session: Name
    synthesizer: Name
    settings: Settings
    labels: Labels = Field(description="their order is the meaning of every condition")
    space: Space
    features: Identity
    scaling: Extremes | None = Field(description="of patches; None for vectors")
    precision: Precision = Precision.FP16
    rank: KeptRank = "full"
    distilled: Distilled = False
    summed: Summed = False
    weights: Digest | None = Field(description="`weights_digest` of the public networks that it starts from, if any")
    augmentation: Augmented = Field("none", description="what the site makes of its recordings before it fits")
    made_of_one: MadeOfOne = Field(MADE_OF_ONE, description="of that, the most that is made of one recording")

    @model_validator(mode="after")
    def _known_settings(self) -> Self:
        if self.augmentation == "none" and self.made_of_one != MADE_OF_ONE:
            raise ValueError("nothing is made of recordings, so not so many")
        refuse_without_rank(self.rank, distilled=self.distilled)
        if self.synthesizer in SYNTHESIZERS:
            method = SYNTHESIZERS.get(self.synthesizer)
            _require_settings(method.Settings, self.settings)
            refuse_promise(method, self.own, self.augmentation)
            if self.summed:
                refuse_sum(method)
            if self.distilled:
                refuse_distilling(method)
        return self

    @property
    def method(self) -> Synthesizer[Any]:
        """The synthesizer, of those that are installed here."""
        if self.synthesizer not in SYNTHESIZERS:
            if self.synthesizer in STAYS:
                raise WireError(Code.STAYS_HERE, where=STAYS[self.synthesizer])
            raise WireError(Code.UNKNOWN_METHOD, where=self.synthesizer)
        return SYNTHESIZERS.get(self.synthesizer)

    @property
    def own(self) -> Any:
        """The settings as the synthesizer reads them."""
        return self.method.Settings.model_validate(self.settings)

    @property
    def recipe(self) -> Recipe:
        """What is to be run, whoever asks and from whichever networks."""
        return Recipe(
            synthesizer=self.synthesizer,
            settings=self.settings,
            space=self.space,
            precision=self.precision,
            rank=self.rank,
            distilled=self.distilled,
            summed=self.summed,
            augmentation=self.augmentation,
            made_of_one=self.made_of_one,
        )

    @property
    def form(self) -> Form:
        """That of the release."""
        return form_of(self.rank, self.precision)

    def precision_of(self, name: str) -> Precision:
        """Of one of its tensors."""
        return precision_in(self.precision, name)

    @property
    def base(self) -> str | None:
        """The digest of the networks that it starts from, with their scaling: what a site's policy lists."""
        return None if self.weights is None else base_digest(self.weights, self.scaling)

    @property
    def settings_hash(self) -> str:
        """Names the settings alone, whatever the session or base."""
        told = {"synthesizer", "settings", "labels", "features", "augmentation", "made_of_one"}
        return hash_identity(self.model_dump(mode="json", include=told))


class Scoring(Section):
    """What defines one scoring of a recognizer at a session."""

    run: Name
    session: Name
    fold: Name
    recognizer: Name
    settings: Settings
    labels: Labels = Field(description="the order of the counts")
    space: Space
    features: Identity
    scaling: Extremes | None
    per_speaker: bool = False
    weights: Digest = Field(description="`weights_digest` of the recognizer")

    @model_validator(mode="after")
    def _known_settings(self) -> Self:
        if self.recognizer in RECOGNIZERS:
            _require_settings(RECOGNIZERS.get(self.recognizer).Settings, self.settings)
        return self

    @property
    def method(self) -> Recognizer[Any]:
        """The recognizer, of those that are installed here."""
        if self.recognizer not in RECOGNIZERS:
            raise WireError(Code.UNKNOWN_METHOD, where=self.recognizer)
        return RECOGNIZERS.get(self.recognizer)

    @property
    def own(self) -> Any:
        """The settings as the recognizer reads them."""
        return self.method.Settings.model_validate(self.settings)


Audited = Literal["none", "release", "refuse", "cannot-tell", "approved"]
"""Whether a release was audited before it left; `approved` is a steward's word, whatever the audit said."""


class Card(Section):
    """The papers of a release."""

    tuning: Tuning
    known: Known = Field(description="whether it was tuned to speech of each emotion, in label order")
    utterances: Counts | None = Field(description="in label order; None where the site keeps them to itself")
    seconds: Number = Field(description="whole seconds that the tuning took")
    audit: Audited = Field("none", description="what the site's own audit of it said; `none` where it made none")
    sites: tuple[Name, ...] = Field(
        (), exclude_if=lambda sites: not sites, description="whose numbers it is a sum of; none where it is one site's"
    )

    @model_validator(mode="after")
    def _one_of_each_a_label(self) -> Self:
        check_length(self.utterances, self.tuning.labels)
        check_length(self.known, self.tuning.labels)
        if not any(self.known):
            raise ValueError("no emotion is known")
        if self.utterances is not None and self.known != tuple(count > 0 for count in self.utterances):
            raise ValueError("what is known is not what there are utterances of")
        return self

    @property
    def emotions(self) -> tuple[str, ...]:
        """Those that may be asked of it."""
        return tuple(label for label, known in zip(self.tuning.labels, self.known, strict=True) if known)


def refuse_promise(method: Synthesizer[Any], own: Section, augmentation: Augmented) -> None:
    """Differential privacy counts utterances, each once: what is made of one would count as others."""
    if augmentation != "none" and method.privacy(own) is not None:
        raise ValueError(
            f"{method.name} promises privacy of one utterance, and {augmentation} makes further ones of it: set "
            "methods.augmentation to none, or ask for no epsilon"
        )


def refuse_sum(method: Synthesizer[Any]) -> None:
    """Only what adds up over sites can be summed."""
    if method.sums is None:
        able = ", ".join(one.name for one in SYNTHESIZERS if one.sums is not None)
        raise ValueError(f"{method.name} is not made of sums: set release.summed to false, or choose {able}")


def refuse_distilling(method: Synthesizer[Any]) -> None:
    """Only some say how."""
    if method.distil is None:
        able = ", ".join(one.name for one in SYNTHESIZERS if one.distil is not None)
        raise ValueError(f"{method.name} cannot be distilled: set release.distilled to false, or choose {able}")


def _require_settings(kind: type[Section], settings: Mapping[str, Any]) -> None:
    """Settings come whole and in the registry's spelling: a sender's own would be room for something else."""
    if spelled(kind.model_validate(settings).model_dump(mode="json")) != spelled(settings):
        raise ValueError("settings are not spelled out as the method spells them")


def canonical(section: Section) -> str:
    """The one spelling of a section's fields, weights left out."""
    return spelled(section.model_dump(mode="json"))


def spelled(plain: Mapping[str, object]) -> str:
    """The one spelling of plain data."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)


def check_length(told: Counts | Known | None, labels: tuple[str, ...]) -> None:
    """Numbers, where they are told, are one a label."""
    if told is not None and len(told) != len(labels):
        raise ValueError(f"{len(told)} numbers for {len(labels)} labels")
