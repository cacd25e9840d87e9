"""Every message that crosses between client and server: its fields, and which weights it carries.

Owns the schema, and which reply answers which request. Must not know how a message becomes bytes, nor whether a site
grants what it asks for.

A field that holds weights is left out of the message's words: it travels as tensors named `<field>.<name>`.
"""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from torch import Tensor

from common.settings import Labels, Section, hash_identity
from common.spaces import Name
from common.wire.codes import Code
from common.wire.summing import KEY_DIGITS, MOST_SITES, Keys, Seals, Shares, Summing
from common.wire.terms import (
    Card,
    Counts,
    Identity,
    Known,
    Matrix,
    Number,
    Scoring,
    Tuning,
    Version,
    canonical,
    check_length,
    spelled,
)
from common.wire.weights import Precision

Weights = Annotated[dict[str, Tensor], Field(exclude=True, repr=False)]


class Stage(StrEnum):
    """Where a keeper is with a request, or was when it refused."""

    RECEIVE = "receive"
    ADMIT = "admit"
    PREPARE = "prepare"
    TUNE = "tune"
    AUDIT = "audit"
    SCORE = "score"
    SUM = "sum"
    RELEASE = "release"


class Message(Section):
    """What every message has; `carries` names the fields that hold weights."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    carries: ClassVar[tuple[str, ...]] = ()

    kind: str

    def precision_of(self, name: str) -> Precision:
        """Of one of its tensors, by the name that it travels by."""
        return Precision.FP32

    @property
    def stated_digest(self) -> str | None:
        """What it says its weights hash to."""
        return None

    def weights(self) -> dict[str, Mapping[str, Tensor]]:
        """Its groups of weights by field."""
        return {field: getattr(self, field) for field in self.carries}

    def words(self, protocol: str | None = None) -> str:
        """Everything but the weights, in the one spelling that is accepted; the protocol's version first of all."""
        return spelled({"protocol": protocol or PROTOCOL, **self.model_dump(mode="json")})


class Ask(Message):
    """What do you have?"""

    kind: Literal["ask"] = "ask"
    run: Name


class Description(Message):
    """What a site has, as far as its policy tells."""

    kind: Literal["description"] = "description"
    run: Name
    session: Name
    labels: Labels
    features: Identity = Field(description="how speech becomes patches there")
    vectors: Identity | None = Field(None, description="and how it becomes vectors; None where it cannot")
    utterances: Counts | None = Field(description="in label order; None where the site keeps them to itself")
    speakers: Number | None
    eyesoff: Version
    torch: Version

    @model_validator(mode="after")
    def _one_count_a_label(self) -> Self:
        check_length(self.utterances, self.labels)
        return self


class Tune(Message):
    """Tune this to your speech. The public networks to start from ride along, or are named where the site has them."""

    carries: ClassVar[tuple[str, ...]] = ("base",)

    kind: Literal["tune"] = "tune"
    tuning: Tuning
    shipped: bool = Field(description="whether the networks ride along, without the vectors of their norms")
    base: Weights

    @property
    def stated_digest(self) -> str | None:
        """The networks, if they ride along."""
        return self.tuning.weights if self.shipped else None


class Collect(Message):
    """Is that tuning done? Asks again without sending the networks again."""

    kind: Literal["collect"] = "collect"
    tuning: Tuning


class Working(Message):
    """Not done yet."""

    kind: Literal["working"] = "working"
    run: Name
    session: Name
    stage: Stage
    step: Number
    iterations: Number
    rate: float = Field(ge=0, le=1e6, allow_inf_nan=False, description="steps a second")


class Release(Message):
    """What a fit may release, and nothing else of it."""

    carries: ClassVar[tuple[str, ...]] = ("released",)

    kind: Literal["release"] = "release"
    card: Card
    released: Weights

    def precision_of(self, name: str) -> Precision:
        """The one that was asked for; in 8 bits what is no row is in fp16."""
        return self.card.tuning.precision_of(name)


class Score(Message):
    """Try this recognizer on your speech."""

    carries: ClassVar[tuple[str, ...]] = ("recognizer",)

    kind: Literal["score"] = "score"
    scoring: Scoring
    recognizer: Weights

    @property
    def stated_digest(self) -> str | None:
        """The recognizer."""
        return self.scoring.weights


class Scored(Message):
    """Confusion counts `[true][predicted]`: one matrix, or one a speaker in no told order."""

    kind: Literal["scored"] = "scored"
    scoring: Scoring
    epsilon: float | None = Field(
        gt=0, allow_inf_nan=False, description="of the geometric noise on every count; None where counts are exact"
    )
    counts: tuple[Matrix, ...] = Field(min_length=1, max_length=1000)

    @model_validator(mode="after")
    def _square(self) -> Self:
        classes = len(self.scoring.labels)
        if any(len(matrix) != classes or any(len(row) != classes for row in matrix) for matrix in self.counts):
            raise ValueError(f"counts are not {classes} by {classes}")
        if len(self.counts) > 1 and not self.scoring.per_speaker:
            raise ValueError("more than one matrix, and they were not asked for by speaker")
        if self.epsilon is None and any(count < 0 for matrix in self.counts for row in matrix for count in row):
            raise ValueError("exact counts are negative")
        return self


class Notice(Message):
    """Somebody else said to be this site's session: told to whoever says that it is that session."""

    kind: Literal["notice"] = "notice"
    run: Name
    session: Name
    word: Literal["name-disputed"] = "name-disputed"


class Noted(Message):
    """A notice stands in the site's own log and ledger."""

    kind: Literal["noted"] = "noted"
    run: Name
    session: Name


class OpenSum(Message):
    """Take part in this sum: the first step of a round."""

    kind: Literal["open-sum"] = "open-sum"
    summing: Summing


class Opened(Message):
    """A seal for each other site, and this one's keys, sealed."""

    kind: Literal["opened"] = "opened"
    summing: Summing
    seals: Seals
    keys: Keys

    @model_validator(mode="after")
    def _one_for_each(self) -> Self:
        if self.seals.keys() != {*self.summing.others} or len(self.keys) != KEY_DIGITS * len(self.summing.sites):
            raise ValueError("seals and keys are not one for each other site")
        return self


class AddToSum(Message):
    """These others take part, and have sealed this for you: give your numbers, masked. The second step."""

    kind: Literal["add-to-sum"] = "add-to-sum"
    summing: Summing
    seals: Seals

    @model_validator(mode="after")
    def _of_others(self) -> Self:
        if not self.seals.keys() <= {*self.summing.others}:
            raise ValueError("a seal of a stranger to this sum")
        return self


class Masked(Message):
    """Numbers under masks that fall in the sum alone, and which emotions the site holds."""

    carries: ClassVar[tuple[str, ...]] = ("masked",)

    kind: Literal["masked"] = "masked"
    summing: Summing
    known: Known = Field(description="whether there is speech of each emotion, in label order")
    masked: Weights

    @model_validator(mode="after")
    def _one_a_label(self) -> Self:
        check_length(self.known, self.summing.tuning.labels)
        return self

    def precision_of(self, name: str) -> Precision:
        """Bytes as they are."""
        return Precision.INT8


class CloseSum(Message):
    """These sites' numbers are there: tell one share of each that takes part. The third step."""

    kind: Literal["close-sum"] = "close-sum"
    summing: Summing
    present: tuple[Name, ...] = Field(max_length=MOST_SITES)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if list(self.present) != sorted({*self.present} & {*self.summing.sites}):
            raise ValueError("those who are present are not sites of this sum, in the order of their names")
        return self


class Shared(Message):
    """Of each site that takes part one share: of its mask, or of its keys where its numbers are not there."""

    kind: Literal["shared"] = "shared"
    summing: Summing
    shares: Shares

    @model_validator(mode="after")
    def _of_sites(self) -> Self:
        if not self.shares.keys() <= {*self.summing.sites}:
            raise ValueError("a share of a stranger to this sum")
        return self


class Refusal(Message):
    """No, for this reason: a word, never a sentence."""

    kind: Literal["refusal"] = "refusal"
    run: Name | None = None
    session: Name | None = None
    code: Code
    stage: Stage


SumStep = OpenSum | AddToSum | CloseSum
Request = Ask | Tune | Collect | Score | Notice | SumStep
Reply = Description | Working | Release | Scored | Noted | Opened | Masked | Shared | Refusal

REQUESTS: tuple[type[Request], ...] = (Ask, Tune, Collect, Score, Notice, OpenSum, AddToSum, CloseSum)
PROTOCOL = hash_identity(
    {
        kind.__name__: kind.model_json_schema(mode="serialization")
        for kind in (*REQUESTS, Description, Working, Release, Scored, Noted, Opened, Masked, Shared, Refusal)
    }
)
"""The protocol's version: whatever changes a message's schema changes it, and two versions tell each other so."""

REPLIES: dict[type[Request], tuple[type[Reply], ...]] = {
    Ask: (Description, Refusal),
    Tune: (Working, Release, Refusal),
    Collect: (Working, Release, Refusal),
    Score: (Scored, Refusal),
    Notice: (Noted, Refusal),
    OpenSum: (Opened, Refusal),
    AddToSum: (Masked, Refusal),
    CloseSum: (Shared, Refusal),
}


def subject(message: Request | Reply) -> tuple[str | None, str | None]:
    """The run and the session that a message is about."""
    match message:
        case Tune(tuning=about) | Collect(tuning=about) | Release(card=Card(tuning=about)):
            return about.run, about.session
        case Score(scoring=scoring) | Scored(scoring=scoring):
            return scoring.run, scoring.session
        case OpenSum() | AddToSum() | CloseSum() | Opened() | Masked() | Shared():
            return message.summing.tuning.run, message.summing.tuning.session
        case Ask(run=run):
            return run, None
        case Description() | Working() | Notice() | Noted() | Refusal():
            return message.run, message.session


def is_answer(reply: Reply, request: Request) -> bool:
    """Whether a reply answers this request and repeats what it asked for, letter by letter."""
    if not isinstance(reply, REPLIES[type(request)]):
        return False
    match reply, request:
        case Release(card=card), Tune(tuning=asked) | Collect(tuning=asked):
            return canonical(card.tuning) == canonical(asked)  # for -0.0 == 0.0 would hide a bit
        case Scored(scoring=scoring), Score(scoring=wanted):
            return canonical(scoring) == canonical(wanted)
        case ((Opened() | Masked() | Shared()), (OpenSum() | AddToSum() | CloseSum())):
            return canonical(reply.summing) == canonical(request.summing)
        case Refusal(), _:
            return reply.run is None or subject(reply) == subject(request)
        case Description(), Ask():
            return reply.run == request.run
        case _:
            return subject(reply) == subject(request)


def identity(request: Request) -> str:
    """Names a request by all that it asks for: 64 characters, the same when it is asked again."""
    return hashlib.sha256(canonical(request).encode("ascii")).hexdigest()
