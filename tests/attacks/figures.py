"""What an attack has read, told in numbers: how like the truth it is, and how like everything else.

Owns the figures. Must not know how anything was read. A figure without its control says nothing: a picture of speech is
like any speech, so what counts is by how much it is more like its own recording than like the nearest other one.
"""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Likeness:
    """A picture's correlation with the patch that was hidden, and the best one with any other recording's patches."""

    own: float
    others: float

    @property
    def is_read(self) -> bool:
        """Whether anybody who holds both would know which is the true one."""
        return self.own > self.others

    def __str__(self) -> str:
        return f"r {self.own:.2f} with the true patch, {self.others:.2f} at best with another recording's"


def correlation(pictures: Tensor, patches: Tensor) -> Tensor:
    """[n, pixels] and [m, pixels] -> [n, m]."""
    return _standard(pictures) @ _standard(patches).t() / pictures.shape[1]


def likeness(picture: Tensor, own: Tensor, others: Tensor, public: Tensor) -> Likeness:
    """Of a picture whose sign is open: public speech, which the attacker has, says which way up it is.

    Args:
        picture: [pixels].
        own: [n, pixels], what was hidden.
        others: [m, pixels], of recordings that were not.
        public: [k, pixels], of people whom the attacker knows.
    """
    upright = picture * correlation(picture[None], public.mean(dim=0, keepdim=True)).sign().item()
    return Likeness(float(correlation(upright[None], own).max()), float(correlation(upright[None], others).max()))


def _standard(rows: Tensor) -> Tensor:
    return (rows - rows.mean(dim=1, keepdim=True)) / rows.std(dim=1, keepdim=True, correction=0).clamp(min=1e-9)
