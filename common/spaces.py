"""What an example is: a patch of a spectrogram, or a vector of numbers that describe an utterance.

Owns the two forms and their shapes. Must not know how an example is made.
"""

from typing import Annotated, Literal

from pydantic import Field

from common.settings import Section
from common.space import SIDE

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$")]


Kept = Literal["fp16", "fp32"]


class Patches(Section):
    """A picture of log-mel levels in [-1, 1]."""

    kind: Literal["patches"] = "patches"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one example."""
        return (1, SIDE, SIDE)

    @property
    def kept_as(self) -> Kept:
        """The number format in which drawn examples are kept."""
        return "fp16"


Scale = Literal["raw", "session", "public"]


class Vectors(Section):
    """A named set of so many numbers an utterance, and by whose mean and deviation they are scaled."""

    kind: Literal["vectors"] = "vectors"
    set: Name
    size: int = Field(ge=1, le=65_536)
    scale: Scale = Field(
        "session", description="raw: as measured; session: by its own unlabelled speech; public: by public speech"
    )

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one example."""
        return (self.size,)

    @property
    def kept_as(self) -> Kept:
        """The number format in which drawn examples are kept; raw numbers go beyond what fp16 can hold."""
        return "fp32" if self.scale == "raw" else "fp16"


Space = Annotated[Patches | Vectors, Field(discriminator="kind")]
PATCHES = Patches()
