"""What a site lets a server ask for and take away: a TOML file that the site owns.

Owns the rules and their bounds. Must not know how they are enforced (`client.gate`) or what the data holds.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from common.config.reading import all_mistakes, mistakes_in, read_toml
from common.config.tree import Section
from common.wire import Precision

MEBIBYTE = 2**20

Record = Literal["description", "release", "scored"]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]


class Policy(Section):
    """The default lets a generator and confusion counts out, at most eight times a day, and tells no histogram."""

    allow: tuple[Record, ...] = Field(
        ("description", "release", "scored"),
        description="kinds of record that may leave; refusals and the progress of what was granted always may",
    )
    precisions: tuple[Precision, ...] = Field(
        tuple(Precision), min_length=1, description="number formats in which a generator may leave, as the server asks"
    )
    mebibytes_a_day: Count = Field(2048, description="of all that leaves in any 24 hours")
    mebibytes_a_request: Positive = Field(1536, description="a request larger than this is not read")
    steps: Positive = Field(50_000, description="training steps of one tuning")
    width: float = Field(1.0, gt=0, le=1, description="of the networks; 1 is the paper's")
    batch: Positive = Field(128, description="utterances that a training step sees at once")
    tunings_a_day: Count = Field(8, description="begun in any 24 hours; asking again for the same one is free")
    scorings_a_day: Count = Field(
        8,
        description="begun in any 24 hours; the counts tell how many test utterances each emotion has, so a site that "
        "keeps that to itself takes 'scored' out of `allow`",
    )
    minimum_utterances: Count = Field(
        5, description="of each emotion that the site holds: if one has fewer, nothing is tuned or scored"
    )
    minimum_speakers: Count = Field(
        2, description="of each emotion that the site holds, likewise; one voice alone would be cloned"
    )
    tell_counts: bool = Field(False, description="utterances an emotion and speakers, in descriptions and releases")
    per_speaker: bool = Field(False, description="whether confusions may come apart by speaker, without names")


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
