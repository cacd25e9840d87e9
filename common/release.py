"""The section `release`: how small a release is, and whether it is of one site.

Owns its settings and which of them need each other. Must not know what is released.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from common.settings import Section

Rank = Literal["full"] | Annotated[int, Field(ge=1, le=4096)]
KernelRank = Literal["same"] | Annotated[int, Field(ge=1, le=4096)]
NO_RANK = "tuned_inside takes a rank to stay inside of: set release.rank, such as 4"
NO_KERNELS = "kernel_rank stands beside a rank: set release.rank, such as 4"


def refuse_without_rank(rank: Rank, kernel_rank: KernelRank, *, inside: bool) -> None:
    """What a whole release has no use for."""
    if rank == "full" and kernel_rank != "same":
        raise ValueError(NO_KERNELS)
    if rank == "full" and inside:
        raise ValueError(NO_RANK)


class ReleaseConfig(Section):
    """Releases smaller than the speech that they are made of, and such as are made of a sum over sites."""

    rank: Rank = Field(
        "full",
        description="directions that leave of each layer's difference to the public networks, such as 4; full: all",
    )
    kernel_rank: KernelRank = Field(
        "same",
        exclude_if=lambda rank: rank == "same",
        description="directions of the difference of a convolution's kernel, where it is to have more than matrices "
        "have: kernels are small, so that theirs cost few bytes",
    )
    eight_bit: bool = Field(
        False,
        description="in 8 bits, row by row, rounded by a site's own dice; else as finetuning.released_as says",
    )
    tuned_inside: bool = Field(
        False,
        exclude_if=lambda inside: not inside,
        description="a generator never leaves `rank` directions of each layer's difference while it is tuned, so that "
        "the cut at the end loses nothing; else the cut comes after a free tuning. It takes a rank",
    )
    summed: bool = Field(
        False,
        description="sites add up what they would release, so that the server sees the sum alone; in campaigns, for "
        "synthesizers that are made of sums, at sites whose stewards have exchanged keys",
    )

    @model_validator(mode="after")
    def _of_some_rank(self) -> Self:
        refuse_without_rank(self.rank, self.kernel_rank, inside=self.tuned_inside)
        return self
