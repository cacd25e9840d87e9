"""Every message that crosses between client and server: its fields, their bounds, and which weights it carries.

Owns the schema. Must not know how a message becomes bytes, nor whether a site grants what it asks for.

A field that holds weights is left out of the message's words: it travels as tensors named `<field>.<name>`. No field
is free text: names, words of fixed lists, numbers within bounds.
"""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from torch import Tensor

from common.config.tree import FinetuningConfig, NetworkConfig, OptimizerConfig, Section, hash_identity
from common.wire.codes import Code
from common.wire.weights import Precision

PROTOCOL: Literal[1] = 1

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$")]
Label = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,23}$")]
Labels = Annotated[tuple[Label, ...], Field(min_length=2, max_length=16)]
Version = Annotated[str, Field(pattern=r"^[0-9][0-9A-Za-z.+]{0,31}$")]
Identity = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Number = Annotated[int, Field(ge=0, le=10_000_000)]
Counts = Annotated[tuple[Number, ...], Field(max_length=16)]
Level = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
Matrix = Annotated[tuple[Counts, ...], Field(max_length=16)]
Weights = Annotated[dict[str, Tensor], Field(exclude=True, repr=False)]


def _bounded(network: NetworkConfig) -> NetworkConfig:
    """The tree lets a user choose any names and sizes; a stranger may not."""
    if network.noise > 4096:
        raise ValueError("noise is larger than 4096")
    _Labelled(labels=network.emotions)
    return network


class _Labelled(Section):
    labels: Labels


Network = Annotated[NetworkConfig, AfterValidator(_bounded)]


class Stage(StrEnum):
    """Where a keeper is with a request, or was when it refused."""

    RECEIVE = "receive"
    ADMIT = "admit"
    PREPARE = "prepare"
    TUNE = "tune"
    SCORE = "score"
    RELEASE = "release"


class Extremes(Section):
    """The log-mel levels that map to -1 and 1."""

    low: Level
    high: Level

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError("low is not below high")
        return self


class Tuning(Section):
    """What defines one tuning, all of it chosen by the server; the release repeats it."""

    run: Name
    session: Name
    seed: int = Field(ge=0, lt=2**63)
    network: Network
    optimizer: OptimizerConfig
    finetuning: FinetuningConfig
    features: Identity
    scaling: Extremes
    precision: Precision = Precision.FP16
    base: Digest = Field(description="`weights_digest` of the pre-trained generator and discriminator")

    @property
    def labels(self) -> tuple[str, ...]:
        """The label order, which is the meaning of every condition."""
        return self.network.emotions

    @property
    def settings_hash(self) -> str:
        """Names the settings alone, whatever the session, seed or base."""
        return hash_identity(self.model_dump(mode="json", include={"network", "optimizer", "finetuning", "features"}))


class Scoring(Section):
    """What defines one scoring of a recognizer at a session."""

    run: Name
    session: Name
    fold: Name
    network: Network
    window_hop: int = Field(ge=1, le=128)
    features: Identity
    scaling: Extremes
    per_speaker: bool = False
    recognizer: Digest = Field(description="`weights_digest` of the recognizer")

    @property
    def labels(self) -> tuple[str, ...]:
        """The label order of the counts."""
        return self.network.emotions


class Card(Section):
    """The papers of a release."""

    tuning: Tuning
    utterances: Counts | None = Field(description="in label order; None where the site keeps them to itself")
    seconds: Number = Field(description="whole seconds that the tuning took")

    @model_validator(mode="after")
    def _one_count_a_label(self) -> Self:
        _check_length(self.utterances, self.tuning.labels)
        return self


class Message(Section):
    """What every message has; `carries` names the fields that hold weights."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    carries: ClassVar[tuple[str, ...]] = ()

    protocol: Literal[1] = PROTOCOL
    kind: str

    @property
    def precision(self) -> Precision:
        """Of its weights."""
        return Precision.FP32

    @property
    def stated_digest(self) -> str | None:
        """What it says its weights hash to."""
        return None

    def weights(self) -> dict[str, Mapping[str, Tensor]]:
        """Its groups of weights by field."""
        return {field: getattr(self, field) for field in self.carries}

    def words(self) -> str:
        """Everything but the weights, in the one spelling that is accepted."""
        return canonical(self)


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
    features: Identity
    utterances: Counts | None = Field(description="in label order; None where the site keeps them to itself")
    speakers: Number | None
    eyesoff: Version
    torch: Version

    @model_validator(mode="after")
    def _one_count_a_label(self) -> Self:
        _check_length(self.utterances, self.labels)
        return self


class Tune(Message):
    """Tune these networks to your speech; the weights are whole training states."""

    carries: ClassVar[tuple[str, ...]] = ("generator", "discriminator")

    kind: Literal["tune"] = "tune"
    tuning: Tuning
    generator: Weights
    discriminator: Weights

    @property
    def stated_digest(self) -> str | None:
        """The base."""
        return self.tuning.base


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
    """A tuned generator, its norms folded in, and nothing else of what was tuned."""

    carries: ClassVar[tuple[str, ...]] = ("generator",)

    kind: Literal["release"] = "release"
    card: Card
    generator: Weights

    @property
    def precision(self) -> Precision:
        """The one that was asked for."""
        return self.card.tuning.precision


class Score(Message):
    """Try this recognizer on your speech."""

    carries: ClassVar[tuple[str, ...]] = ("recognizer",)

    kind: Literal["score"] = "score"
    scoring: Scoring
    recognizer: Weights

    @property
    def stated_digest(self) -> str | None:
        """The recognizer."""
        return self.scoring.recognizer


class Scored(Message):
    """Confusion counts `[true][predicted]`: one matrix, or one a speaker in no told order."""

    kind: Literal["scored"] = "scored"
    scoring: Scoring
    counts: tuple[Matrix, ...] = Field(min_length=1, max_length=1000)

    @model_validator(mode="after")
    def _square(self) -> Self:
        classes = len(self.scoring.labels)
        if any(len(matrix) != classes or any(len(row) != classes for row in matrix) for matrix in self.counts):
            raise ValueError(f"counts are not {classes} by {classes}")
        if len(self.counts) > 1 and not self.scoring.per_speaker:
            raise ValueError("more than one matrix, and they were not asked for by speaker")
        return self


class Refusal(Message):
    """No, for this reason: a word, never a sentence."""

    kind: Literal["refusal"] = "refusal"
    run: Name | None = None
    session: Name | None = None
    code: Code
    stage: Stage


Request = Ask | Tune | Collect | Score
Reply = Description | Working | Release | Scored | Refusal

REQUESTS: tuple[type[Request], ...] = (Ask, Tune, Collect, Score)
REPLIES: dict[type[Request], tuple[type[Reply], ...]] = {
    Ask: (Description, Refusal),
    Tune: (Working, Release, Refusal),
    Collect: (Working, Release, Refusal),
    Score: (Scored, Refusal),
}


def subject(message: Request | Reply) -> tuple[str | None, str | None]:
    """The run and the session that a message is about."""
    match message:
        case Tune(tuning=about) | Collect(tuning=about) | Release(card=Card(tuning=about)):
            return about.run, about.session
        case Score(scoring=scoring) | Scored(scoring=scoring):
            return scoring.run, scoring.session
        case Ask(run=run):
            return run, None
        case Description() | Working() | Refusal():
            return message.run, message.session


def is_answer(reply: Reply, request: Request) -> bool:
    """Whether a reply answers this request and repeats what it asked for, word by word."""
    if not isinstance(reply, REPLIES[type(request)]):
        return False
    match reply, request:
        case Release(card=card), Tune(tuning=asked) | Collect(tuning=asked):
            return card.tuning == asked
        case Scored(scoring=scoring), Score(scoring=wanted):
            return scoring == wanted
        case Refusal(), _:
            return reply.run is None or subject(reply) == subject(request)
        case Description(), Ask():
            return reply.run == request.run
        case _:
            return subject(reply) == subject(request)


def canonical(section: Section) -> str:
    """The one spelling of a section's fields, weights left out."""
    plain = section.model_dump(mode="json")
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)


def identity(request: Request) -> str:
    """Names a request by all that it asks for: 64 characters, the same when it is asked again."""
    return hashlib.sha256(canonical(request).encode("ascii")).hexdigest()


def _check_length(counts: Counts | None, labels: tuple[str, ...]) -> None:
    if counts is not None and len(counts) != len(labels):
        raise ValueError(f"{len(counts)} counts for {len(labels)} labels")
