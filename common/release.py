"""The section `release`: how small a release is, and whether it is of one site.

Owns its settings and which of them need each other. Must not know what is released.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from common.settings import Section

Rank = Literal["full"] | Annotated[int, Field(ge=1, le=4096)]
NO_RANK = "distilled takes a rank, for a whole release has lost nothing: set release.rank, such as 4"


def refuse_without_rank(rank: Rank, *, distilled: bool) -> None:
    """What a whole release has no use for."""
    if rank == "full" and distilled:
        raise ValueError(NO_RANK)


class ReleaseConfig(Section):
    """Releases smaller than the speech that they are made of, and such as are made of a sum over sites."""

    rank: Rank = Field(
        "full",
        description="directions that leave of each layer's difference to the public networks, such as 4; full: all",
    )
    eight_bit: bool = Field(
        False,
        description="in 8 bits, row by row, rounded by a site's own dice; else as finetuning.released_as says",
    )
    distilled: bool = Field(
        False,
        exclude_if=lambda distilled: not distilled,
        description="after the cut to `rank`, what is kept is trained to make the patches that the whole generator "
        "makes; that reads no speech, takes a fraction of a tuning's time, and gives back most of what a cut costs",
    )
    summed: bool = Field(
        False,
        description="sites add up what they would release, so that the server sees the sum alone; in campaigns, for "
        "synthesizers that are made of sums, at sites whose stewards have exchanged keys",
    )

    @model_validator(mode="after")
    def _of_some_rank(self) -> Self:
        refuse_without_rank(self.rank, distilled=self.distilled)
        return self
