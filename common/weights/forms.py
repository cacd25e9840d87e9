"""The forms of a release: what leaves in the place of each weight, and the weight again.

Owns both ways and the shapes between. Must not know whose weights they are, nor what public ones they differ from.

Where there is a reference, what leaves is the difference to it: of rank r a layer is r rows, one a direction, or its
difference as it is where that is smaller. In 8 bits each row is scaled by itself; all scales stand in one tensor, in
the order of the names. Without a reference the weights themselves are rounded, and vectors stay as they are: what is in
them may differ too much in size.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from common.seeds import torch_stream
from common.weights.factors import factors, product
from common.weights.rows import rounded, unrounded

Shape = tuple[int, ...]
ROWS, SCALES = ".rows8", "scales"
"""How the names of what is in 8 bits end, and the name of their scales."""
KERNEL = 4
"""Dimensions of a convolution's weight, of which a row is all that makes one output."""


@dataclass(frozen=True)
class Form:
    """Of a release.

    Args:
        rank: directions that a layer's difference keeps; None for all.
        eight_bit: in 8-bit rows.
    """

    rank: int | None = None
    eight_bit: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether weights leave as they are."""
        return self.rank is None and not self.eight_bit

    def misfit(self, shapes: Mapping[str, Shape], *, based: bool) -> str:
        """Why weights of these shapes cannot have this form, or nothing; `based` says whether they have a reference."""
        if self.rank is None:
            return ""
        if not based:
            return "a rank is of a difference, and there are no public networks to differ from"
        most = largest_rank(shapes)
        return f"rank {self.rank} is above the {most} of the largest layer" if self.rank > most else ""

    def directions(self, shape: Shape) -> int | None:
        """That a weight of this shape keeps; None for all."""
        return self.rank if len(shape) > 1 else None


def largest_rank(shapes: Mapping[str, Shape]) -> int:
    """Directions of the layer that has most."""
    return max((min(_matrix(shape)) for shape in shapes.values() if len(shape) > 1), default=0)


def shapes_in(form: Form, shapes: Mapping[str, Shape], *, based: bool) -> dict[str, Shape]:
    """Names and shapes of what leaves in the place of weights of these."""
    if form.is_whole:
        return dict(shapes)
    told, scales = {}, 0
    for name, shape in sorted(shapes.items()):
        kept = _kept(form, shape)
        rounds = _rounds(form, shape, based=based)
        told[name + ROWS * rounds] = kept
        scales += _matrix_of_rows(kept)[0] if rounds else 0
    return told | ({SCALES: (scales,)} if scales else {})


def cut(
    weights: Mapping[str, Tensor], reference: Mapping[str, Tensor], form: Form, stream: torch.Generator
) -> dict[str, Tensor]:
    """What leaves in the place of these weights; `reference` is empty where they start from none."""
    if form.is_whole:
        return dict(weights)
    left: dict[str, Tensor] = {}
    scales = []
    for name, weight in sorted(weights.items()):
        shape = tuple(weight.shape)
        whole = weight.cpu().float()  # wherever it was made: the dice are thrown here
        whole = whole - reference[name].cpu().float() if reference else whole
        kept = whole if _kept(form, shape) == shape else factors(whole.flatten(1), form.directions(shape) or 0)
        if not _rounds(form, shape, based=bool(reference)):
            left[name] = kept
            continue
        rows, scale = rounded(kept.reshape(_matrix_of_rows(tuple(kept.shape))), stream)
        left[name + ROWS] = rows.view(kept.shape)
        scales.append(scale)
    return left | ({SCALES: torch.cat(scales)} if scales else {})


def restored(
    left: Mapping[str, Tensor], reference: Mapping[str, Tensor], form: Form, shapes: Mapping[str, Shape]
) -> dict[str, Tensor]:
    """Weights of these shapes again, from what left."""
    if form.is_whole:
        return dict(left)
    return dict(_restored(left, reference, form, shapes))


def rounding(seed: int) -> torch.Generator:
    """The dice of a release of this seed: whoever judges it before it leaves throws the same."""
    return torch_stream(seed, "rounding")


def as_it_leaves(
    weights: Mapping[str, Tensor], reference: Mapping[str, Tensor], form: Form, seed: int
) -> dict[str, Tensor]:
    """These weights with whatever is lost on the way."""
    shapes = {name: tuple(weight.shape) for name, weight in weights.items()}
    return restored(cut(weights, reference, form, rounding(seed)), reference, form, shapes)


def _restored(
    left: Mapping[str, Tensor], reference: Mapping[str, Tensor], form: Form, shapes: Mapping[str, Shape]
) -> Iterator[tuple[str, Tensor]]:
    place = 0
    for name, shape in sorted(shapes.items()):
        if _rounds(form, shape, based=bool(reference)):
            rows = left[name + ROWS]
            flat = rows.reshape(_matrix_of_rows(tuple(rows.shape)))
            kept = unrounded(flat, left[SCALES][place : place + len(flat)]).view(rows.shape)
            place += len(flat)
        else:
            kept = left[name].float()
        whole = kept if _kept(form, shape) == shape else product(kept, shape)
        yield name, whole + reference[name].float() if reference else whole


def _kept(form: Form, shape: Shape) -> Shape:
    """Of a layer's factors, or its own where those are no smaller."""
    rank = form.directions(shape)
    if rank is None:
        return shape
    m, n = _matrix(shape)
    return (rank, m + n) if rank * (m + n) < m * n else shape


def _rounds(form: Form, shape: Shape, *, based: bool) -> bool:
    return form.eight_bit and (based or len(shape) > 1)


def _matrix(shape: Shape) -> tuple[int, int]:
    return shape[0], math.prod(shape[1:])


def _matrix_of_rows(shape: Shape) -> tuple[int, int]:
    """Rows that share a scale: of a vector the whole, of a kernel what makes one output, else the last dimension."""
    if len(shape) == KERNEL:
        return _matrix(shape)
    return math.prod(shape[:-1]), shape[-1]
