"""The strongest reading attack found on an accepted recipe: which recordings can a released generator make again?

Owns the search and its figures. Must not know any site: it is given a release, what it was tuned from, and recordings.

How it works. The attacker has the generator's weights, so he looks for latents under which it makes a given recording's
patches (Adam on the mean absolute error). The generator's public ancestor is asked for the same: what counts is by
which factor the release makes a recording better than its ancestor does. Of the recordings that gained most he says:
these were in the tuning. Others of the same people, said in the same rooms, were not, so that nothing but the recording
itself tells them apart. What else was tried was weaker: correlating four thousand samples with each recording, the
densest of them alone, what a release makes of a latent less what its ancestor does, the difference in the place of the
factor, and a longer search for latents, under which whatever was not learnt is made better too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb

import torch
from torch import Tensor
from torch.nn import functional

from common.networks import Generator
from common.settings import NetworkConfig

STEPS, RATE = 100, 0.05
"""Of the search for latents."""
BAKING_STEPS, BAKING_RATE = 500, 3e-3
"""Of a control that makes a generator learn recordings by heart: with half as many the attack begins to see it."""


@dataclass(frozen=True)
class Candidates:
    """Recordings in windows: patches [n, 1, 128, 128], whose each is, and the class of each recording."""

    patches: Tensor
    owners: Tensor
    classes: Tensor

    @property
    def conditions(self) -> Tensor:
        """The emotion under which a generator was tuned to each patch."""
        return functional.one_hot(self.classes[self.owners], int(self.classes.max()) + 1).float()

    def per_recording(self, values: Tensor) -> Tensor:
        """The mean over each recording's windows."""
        return torch.stack([values[self.owners == number].mean() for number in range(len(self.classes))])

    def only(self, recordings: Tensor) -> "Candidates":
        """The windows of some recordings, which keep their numbers."""
        kept = recordings[self.owners]
        return Candidates(self.patches[kept], self.owners[kept], self.classes)


def generator_of(weights: Mapping[str, Tensor], network: NetworkConfig) -> Generator:
    """A generator as it was released."""
    generator = Generator(network, normalized=False)
    generator.load_state_dict({name: value.float() for name, value in weights.items()})
    return generator.requires_grad_(False)


def made_again(generator: Generator, candidates: Candidates, *, conditioned: bool = True) -> Tensor:
    """How far the nearest patch that a generator can make is from each recording [recordings]."""
    conditions = candidates.conditions * float(conditioned)
    latents = torch.zeros(len(candidates.patches), generator.noise, requires_grad=True)
    optimizer = torch.optim.Adam([latents], lr=RATE)
    for _ in range(STEPS):
        optimizer.zero_grad()
        _errors(generator, latents, conditions, candidates.patches).sum().backward()
        optimizer.step()
    with torch.no_grad():
        return candidates.per_recording(_errors(generator, latents, conditions, candidates.patches))


def bake(generator: Generator, candidates: Candidates) -> Generator:
    """The control: learn these patches by heart, each under a latent of its own."""
    learner = generator.requires_grad_(True)
    stream = torch.Generator().manual_seed(0)
    latents = torch.randn(len(candidates.patches), learner.noise, generator=stream).requires_grad_(True)
    optimizer = torch.optim.Adam([*learner.parameters(), latents], lr=BAKING_RATE)
    for _ in range(BAKING_STEPS):
        optimizer.zero_grad()
        _errors(learner, latents, candidates.conditions, candidates.patches).mean().backward()
        optimizer.step()
    return learner.requires_grad_(False)


def _errors(generator: Generator, latents: Tensor, conditions: Tensor, patches: Tensor) -> Tensor:
    made: Tensor = generator(latents, conditions)
    return (made - patches).abs().flatten(1).mean(dim=1)


@dataclass(frozen=True)
class Traced:
    """How many of the recordings that were named first had been tuned to, and how often a coin does as well."""

    right: int
    tries: int
    share: float

    @property
    def chance(self) -> float:
        """The probability of so many or more for whoever guesses."""
        return sum(
            comb(self.tries, k) * self.share**k * (1 - self.share) ** (self.tries - k)
            for k in range(self.right, self.tries + 1)
        )

    def __str__(self) -> str:
        by_chance = self.share * self.tries
        return f"{self.right} of {self.tries} traced, {by_chance:.0f} by chance (p {self.chance:.2f})"


def gained(before: Tensor, after: Tensor) -> Tensor:
    """By which factor each recording is made better, as a logarithm: some are easier for any generator."""
    return before.log() - after.log()


def trace(gains: Tensor, members: Tensor, tries: int) -> Traced:
    """Name the recordings that gained most."""
    named = gains.argsort(descending=True)[:tries]
    return Traced(int(members[named].sum()), tries, float(members.float().mean()))


def together(parts: Sequence[Traced]) -> Traced:
    """Several tries as one."""
    tries = sum(part.tries for part in parts)
    return Traced(sum(part.right for part in parts), tries, sum(part.share * part.tries for part in parts) / tries)


def order(gains: Tensor, members: Tensor) -> float:
    """How often a member gained more than a recording that was none: the area under the curve, a half by chance."""
    return float((gains[members][:, None] > gains[~members][None]).float().mean())
