"""Everything that chance decides in one step, drawn before the step.

Owns which stream each draw comes from: (seed, stage, step, name), so that any step can be replayed in any order, on any
device, in any number of processes. Must not know what a draw is used for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from common.errors import UserError
from common.seeds import torch_stream
from common.space import SIDE
from common.training.distributed import Share


class Labelled(Protocol):
    """Values [batch, *shape] and their classes [batch]."""

    @property
    def values(self) -> Tensor:
        """Of a space: patches, or vectors."""
        ...

    @property
    def labels(self) -> Tensor:
        """Of any use only in a labelled stage."""
        ...


class Examples(Protocol):
    """A source that gives any step's batch, in any order."""

    def batch(self, step: int, size: int, stream: str) -> Labelled:
        """The same batch for the same step and stream."""
        ...


@runtime_checkable
class FiniteExamples(Examples, Protocol):
    """A source that can also be read whole."""

    def everything(self) -> Labelled:
        """Each example once, in a fixed order."""
        ...


def everything(source: Examples) -> Labelled:
    """Each example of a source once; vectors always can be read so."""
    if not isinstance(source, FiniteExamples):
        raise TypeError(f"{type(source).__name__} has no end")
    return source.everything()


def require_labels(source: Examples, stage: str) -> None:
    """Refuse to start a stage that learns emotions on speech that has none."""
    labels = source.batch(0, 1, stage).labels
    if bool((labels < 0).any()):
        raise UserError(f"{stage} needs labelled speech", remedy="name a corpus with emotions in corpus.name")


Draw = Mapping[str, Tensor]
"""One step's values and labels, and what else its stage draws, by name: a row an example, on the device that trains."""
Chance = Callable[[int, torch.Generator], Tensor]
"""So many rows from a stream."""


def normal(size: int) -> Chance:
    """Vectors of standard normal numbers."""
    return lambda rows, stream: torch.randn(rows, size, generator=stream)


def uniform(*shape: int) -> Chance:
    """Numbers in [0, 1), of this shape a row."""
    return lambda rows, stream: torch.rand(rows, *shape, generator=stream)


def one_of(classes: Sequence[int]) -> Chance:
    """Class numbers, each as likely."""
    numbers = torch.tensor(list(classes))
    return lambda rows, stream: numbers[torch.randint(len(numbers), (rows,), generator=stream)]


class Tape:
    """Noise of the shape of patches: a stretch of a tape on the device, from a place that the step decides.

    As much drawn anew in every step would take a third of its time.
    """

    def __init__(self, rows: int, device: torch.device, stream: torch.Generator) -> None:
        self._tape = torch.randn(2 * rows * SIDE**2, generator=stream).to(device)

    def __call__(self, rows: int, stream: torch.Generator) -> Tensor:
        """Noise for a step."""
        length = rows * SIDE**2
        start = int(torch.randint(length, (), generator=stream))
        return self._tape[start : start + length].view(rows, 1, SIDE, SIDE)


@dataclass(frozen=True)
class Dealer:
    """Draws a stage's steps: the source's batch, and each chance from its own stream, so that none moves another."""

    source: Examples
    stage: str
    seed: int
    batch: int
    chances: Mapping[str, Chance]
    share: Share
    device: torch.device

    def draw(self, step: int) -> Draw:
        """This process's share of a step."""
        batch = self.source.batch(step, self.batch, self.stage)
        drawn = {"values": batch.values, "labels": batch.labels}
        for name, chance in self.chances.items():
            drawn[name] = chance(self.batch, torch_stream(self.seed, self.stage, step, name))
        return {name: self._place(value) for name, value in drawn.items()}

    def _place(self, drawn: Tensor) -> Tensor:
        mine = self.share.of(drawn)
        if self.device.type == "cuda" and mine.device.type == "cpu":
            mine = mine.pin_memory()  # else the processor waits until the step before has ended
        return mine.to(self.device, non_blocking=True)
