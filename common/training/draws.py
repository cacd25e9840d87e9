"""Everything that chance decides in one step, drawn before the step.

Owns which stream each draw comes from: (seed, stage, step), so that any step can be replayed in any order, on any
device, in any number of processes. Must not know what a draw is used for.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from common.errors import UserError
from common.seeds import torch_stream
from common.space import SIDE
from common.training.augmentation import CHANCES
from common.training.distributed import Share

SHOWINGS = 3
"""How often a step shows patches to a discriminator: real, fake to be told apart, fake to be believed."""


class LabelledPatches(Protocol):
    """Patches [batch, 1, 128, 128] and their classes [batch]."""

    @property
    def patches(self) -> Tensor:
        """In [-1, 1]."""
        ...

    @property
    def labels(self) -> Tensor:
        """Of any use only in a labelled stage."""
        ...


class Examples(Protocol):
    """A source that gives any step's batch, in any order."""

    def batch(self, step: int, size: int, stream: str) -> LabelledPatches:
        """The same batch for the same step and stream."""
        ...


def require_labels(source: Examples, stage: str) -> None:
    """Refuse to start a stage that learns emotions on speech that has none."""
    labels = source.batch(0, 1, stage).labels
    if bool((labels < 0).any()):
        raise UserError(f"{stage} needs labelled speech", remedy="name a corpus with emotions in corpus.name")


@dataclass(frozen=True)
class Draw:
    """One step's patches and chances, on the device that trains."""

    patches: Tensor
    labels: Tensor
    latents: Tensor
    wanted: Tensor
    """The emotion that the generator is asked for, a class a row."""
    mix: Tensor
    """Where between a real patch and a fake one the gradient penalty looks."""
    chances: Tensor
    """[SHOWINGS, batch, sum(CHANCES)] for augmentation."""
    noise: Tensor
    """[SHOWINGS, batch, 1, mels, frames] of deviation one; zeros, a number a patch, where nobody asks for it."""


@dataclass(frozen=True)
class Dealer:
    """Draws a stage's steps."""

    source: Examples
    stage: str
    seed: int
    batch: int
    noise: int
    """Numbers in a latent."""
    classes: int
    share: Share
    device: torch.device
    noisy: bool = False
    """Whether a step's noise is drawn; few stages ask for it."""

    def draw(self, step: int) -> Draw:
        """This process's share of a step."""
        batch = self.source.batch(step, self.batch, self.stage)
        stream = torch_stream(self.seed, self.stage, step)
        size = self.batch
        latents = torch.randn(size, self.noise, generator=stream)
        wanted = torch.randint(self.classes, (size,), generator=stream)
        mix = torch.rand(size, 1, 1, 1, generator=stream)
        chances = torch.cat([torch.rand(size, SHOWINGS, count, generator=stream) for count in CHANCES], dim=2)
        return Draw(
            self._place(batch.patches),
            self._place(batch.labels),
            self._place(latents),
            self._place(wanted),
            self._place(mix),
            self._place(chances).transpose(0, 1),
            self._place(self._noise(stream)).transpose(0, 1),
        )

    def _noise(self, stream: torch.Generator) -> Tensor:
        """A stretch of the tape, from a place that the step decides; drawn last, so that all else is as without it."""
        if not self.noisy:
            return torch.zeros(self.batch, SHOWINGS, 1, 1, 1)
        shape = (self.batch, SHOWINGS, 1, SIDE, SIDE)
        length = math.prod(shape)
        start = int(torch.randint(length, (), generator=stream))
        return self._tape[start : start + length].view(shape)

    @cached_property
    def _tape(self) -> Tensor:
        """Noise for two steps, on the device: as much drawn anew in every step would take a third of its time."""
        length = 2 * self.batch * SHOWINGS * SIDE**2
        return torch.randn(length, generator=torch_stream(self.seed, self.stage, "noise")).to(self.device)

    def _place(self, drawn: Tensor) -> Tensor:
        mine = self.share.of(drawn)
        if self.device.type == "cuda" and mine.device.type == "cpu":
            mine = mine.pin_memory()  # else the processor waits until the step before has ended
        return mine.to(self.device, non_blocking=True)
