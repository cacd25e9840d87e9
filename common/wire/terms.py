"""The terms of messages: names and numbers within bounds, and what defines a tuning, a scoring and a release.

Owns the bounds of every field. Must not know which message holds which. No field is free text: names, words of fixed
lists, numbers.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from common.config.tree import FinetuningConfig, Labels, NetworkConfig, OptimizerConfig, Section, hash_identity
from common.wire.weights import Precision

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$")]
Version = Annotated[str, Field(pattern=r"^[0-9][0-9A-Za-z.+]{0,31}$")]
Identity = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Number = Annotated[int, Field(ge=0, le=10_000_000)]
Counts = Annotated[tuple[Number, ...], Field(max_length=16)]
Level = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
Noised = Annotated[int, Field(ge=-10_000_000, le=10_000_000)]
"""A count that may carry noise, and then be negative."""
Matrix = Annotated[tuple[Annotated[tuple[Noised, ...], Field(max_length=16)], ...], Field(max_length=16)]


def _bounded(network: NetworkConfig) -> NetworkConfig:
    """The tree lets a user choose any names and sizes; a stranger may not."""
    if network.noise > 4096:
        raise ValueError("noise is larger than 4096")
    _Labelled(labels=network.emotions)
    return network


class _Labelled(Section):
    labels: Labels


Network = Annotated[NetworkConfig, AfterValidator(_bounded)]


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
    """What a site is asked to run: a synthesizer, all of its settings, the form of its release.

    A site's policy lists the digests of the recipes that it accepts. Labels are no part of one: a site has its own.
    """

    synthesizer: Literal["conditional"] = "conditional"
    network: NetworkConfig
    optimizer: OptimizerConfig
    finetuning: FinetuningConfig
    precision: Precision

    @property
    def digest(self) -> str:
        """Names the recipe: 64 characters."""
        plain = self.model_dump(mode="json", exclude={"network": {"emotions"}, "finetuning": {"released_as"}})
        return hashlib.sha256(_spelled(plain).encode("ascii")).hexdigest()


def base_digest(weights: str, scaling: Extremes) -> str:
    """Names public networks together with the extremes that scale speech for them: 64 characters."""
    return hashlib.sha256(f"{weights}\n{canonical(scaling)}".encode("ascii")).hexdigest()


class Tuning(Section):
    """What defines one tuning, all of it chosen by the server; the release repeats it.

    No seed is among it: every draw at a site comes from a secret of the site's own.
    """

    run: Name
    session: Name
    network: Network
    optimizer: OptimizerConfig
    finetuning: FinetuningConfig
    features: Identity
    scaling: Extremes
    precision: Precision = Precision.FP16
    weights: Digest = Field(description="`weights_digest` of the pre-trained generator and discriminator")

    @property
    def labels(self) -> tuple[str, ...]:
        """The label order, which is the meaning of every condition."""
        return self.network.emotions

    @property
    def recipe(self) -> Recipe:
        """What is to be run, whoever asks and from whichever networks."""
        return Recipe(
            network=self.network, optimizer=self.optimizer, finetuning=self.finetuning, precision=self.precision
        )

    @property
    def base(self) -> str:
        """The digest of the networks that it starts from, with their scaling: what a site's policy lists."""
        return base_digest(self.weights, self.scaling)

    @property
    def settings_hash(self) -> str:
        """Names the settings alone, whatever the session or base."""
        return hash_identity(self.model_dump(mode="json", include={"network", "optimizer", "finetuning", "features"}))


class Scoring(Section):
    """What defines one scoring of a recognizer at a session."""

    run: Name
    session: Name
    fold: Name
    network: Network
    window_hop: int = Field(ge=1, le=128)
    bands: Literal[16, 32, 64, 128]
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
        check_length(self.utterances, self.tuning.labels)
        return self


def canonical(section: Section) -> str:
    """The one spelling of a section's fields, weights left out."""
    return _spelled(section.model_dump(mode="json"))


def _spelled(plain: Mapping[str, object]) -> str:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)


def check_length(counts: Counts | None, labels: tuple[str, ...]) -> None:
    """Counts, where they are told, are one a label."""
    if counts is not None and len(counts) != len(labels):
        raise ValueError(f"{len(counts)} counts for {len(labels)} labels")
