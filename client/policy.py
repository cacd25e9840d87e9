"""What a site lets a server ask for and take away: a TOML file that the site owns.

Owns the rules and their bounds. Must not know how they are enforced (`client.gate`) or what the data holds.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from client.bases import shipped_bases
from client.bounds import Bounds
from client.recipes import preset_recipes
from common.audit.verdict import Limits
from common.config.reading import all_mistakes, mistakes_in, read_toml
from common.settings import Section
from common.wire import Precision
from common.wire.terms import Digest

MEBIBYTE = 2**20

Record = Literal["description", "release", "scored", "sum"]
Gatekeeper = Literal["always", "audited", "approve"]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]


def _one_mistake(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Two types would complain twice of one value."""
    try:
        return validate(value)
    except ValidationError:
        raise ValueError("neither a number above 0 and up to 1000 nor 'exact'") from None


Epsilon = Annotated[Annotated[float, Field(gt=0, le=1000)] | Literal["exact"], WrapValidator(_one_mistake)]


class Policy(Section):
    """The default runs the presets' recipes on the networks that come with eyesoff, and tells no histogram."""

    allow: tuple[Record, ...] = Field(
        ("description", "release", "scored"),
        description="kinds of record that may leave; refusals and the progress of what was granted always may; with "
        "'sum' the site adds to sums over sites with which you have exchanged keys (`eyesoff keeper peer`), and the "
        "server sees the sum alone",
    )
    bases: tuple[Digest, ...] = Field(
        default_factory=lambda: tuple(shipped_bases()),
        description="digests of the public networks from which a tuning may start; by default those that come with "
        "eyesoff; [] refuses all; `eyesoff keeper accept base` adds one",
    )
    recipes: tuple[Digest, ...] = Field(
        default_factory=lambda: tuple(preset_recipes()),
        description="digests of what may be run: a synthesizer, all of its settings, the form of its release; by "
        "default those of the presets; [] refuses all; `eyesoff keeper accept recipe` adds one",
    )
    release: Gatekeeper = Field(
        "always",
        description="always: a finished release may leave, unaudited; audited: only when its audit says so, or you do; "
        "approve: only when you say so (`eyesoff keeper inbox` lists what waits, with its audit)",
    )
    precisions: tuple[Precision, ...] = Field(
        (Precision.FP16, Precision.BF16, Precision.INT8),
        min_length=1,
        description="number formats in which a generator may leave",
    )
    mebibytes_a_day: Count = Field(2048, description="of all that leaves in any 24 hours")
    mebibytes_a_request: Positive = Field(1536, description="a request larger than this is not read")
    tunings_a_day: Count = Field(8, description="begun in any 24 hours; asking again for the same one is free")
    scorings_a_day: Count = Field(
        8,
        description="begun in any 24 hours; the counts tell how many test utterances each emotion has, so a site that "
        "keeps that to itself takes 'scored' out of `allow`",
    )
    refusals_a_day: Positive = Field(
        1000,
        description="written down in any 24 hours; beyond that, what is not granted is turned away without a word and "
        "counted, so that nobody fills the ledger; what is granted still passes",
    )
    minimum_utterances: Count = Field(
        5, description="of each emotion that the site holds: if one has fewer, nothing is tuned or scored"
    )
    minimum_speakers: Count = Field(
        2, description="of each emotion that the site holds, likewise; one voice alone would be cloned"
    )
    releases_in_all: Count = Field(
        20, description="generators that are ever made here; the same recipe on the same speech is one, given again"
    )
    sums_of_one: Positive = Field(
        1,
        description="sums over different sites to which the same numbers may be added; whoever takes one sum from "
        "another sees what one site alone added",
    )
    scorings_in_all: Count = Field(4, description="recognizers that are ever scored here, each once")
    epsilon_in_all: float = Field(
        8.0,
        gt=0,
        le=100,
        description="of differential privacy, over all private releases that are ever made here, for one utterance "
        "added or removed; counts for recipes that set epsilon alone",
    )
    delta_in_all: float = Field(1e-5, gt=0, le=1e-3, description="at which that epsilon is meant")
    minutes_a_request: Positive = Field(1440, description="of work on one tuning or one scoring")
    gibibytes_of_state: float = Field(20.0, gt=0, description="disk that the keeper's work may fill")
    minimum_test_utterances: Count = Field(50, description="in all; with fewer, no recognizer is scored")
    scoring_epsilon: Epsilon = Field(
        0.26,
        description="of the geometric noise on every count of a scoring: a guess whether one recording is here is then "
        "right with a probability of at most 1 / (1 + exp(-epsilon)); of four answers about it, by their majority, "
        "in 60 % at the default; 'exact' adds none",
    )
    tell_counts: bool = Field(False, description="utterances an emotion and speakers, in descriptions and releases")
    per_speaker: bool = Field(False, description="whether confusions may come apart by speaker, without names")
    audit: Limits = Field(Limits(), description="limits that lead from an audit to its verdict")
    bounds: Bounds = Field(Bounds(), description="floors and lids that not even an accepted recipe may pass")

    @model_validator(mode="after")
    def _sums_cannot_be_audited(self) -> Self:
        if "sum" in self.allow and self.release != "always":
            raise ValueError(
                f"allow has 'sum' and release is {self.release}: what is added to a sum cannot be looked at alone, so "
                "set release to always, or leave 'sum' out of allow"
            )
        return self


def load_policy(path: Path | None) -> Policy:
    """The policy in a file, or the default where the site names none; every mistake at once."""
    if path is None:
        return Policy()
    tree = read_toml(path, "policy", remedy="name the site's policy file, or leave it out for the default")
    try:
        return Policy.model_validate(tree)
    except ValidationError as error:
        names = ", ".join(Policy.model_fields)
        raise all_mistakes(path, mistakes_in(error, hint=f"there are {names}")) from None
