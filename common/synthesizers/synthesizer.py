"""What a synthesizer is: fitted where data is, released, and sampled where data is not.

Owns that form: the contract of every module in `common.synthesizers.methods`, and of other people's. Must not know any
synthesizer, nor who fits one: a site and a fold of a centralized mode hand it the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from common.errors import UserError
from common.settings import Section, settings_from
from common.spaces import Patches, Space, Vectors
from common.training.draws import Examples
from common.training.phases import Surroundings
from common.weights import Form

Weights = Mapping[str, Tensor]
Shapes = Mapping[str, tuple[int, ...]]
Numbers = Mapping[str, float | tuple[float, ...]]
"""Settings by the names of a policy's bounds; several values where several stages have one each."""
Reach = Literal["anywhere", "at-the-data"]
"""Whether what is fitted may leave the place of the data; what holds recordings may not."""


@dataclass(frozen=True)
class Privacy:
    """Differential privacy of all that a fit releases: the four things without which the words mean nothing."""

    epsilon: float
    delta: float
    unit: str = "one utterance added or removed"
    mechanism: str = "Gaussian noise on sums of clipped vectors"

    def __str__(self) -> str:
        return f"epsilon {self.epsilon:g} at delta {self.delta:g}, for {self.unit}, by {self.mechanism}"


class Sampler(Protocol):
    """Whatever turns wanted emotions into examples."""

    def sample(self, wanted: Tensor, stream: torch.Generator, latent_scale: float = 1.0) -> Tensor:
        """Classes [n] -> examples [n, *space.shape], on the CPU.

        What is drawn from the stream does not hang on the classes: the same stream shows the same latents under each.
        """
        ...


@dataclass(frozen=True)
class Fitting:
    """All that a fit may see, the same at a site and in a fold of a centralized mode.

    Args:
        examples: a source of labelled batches, with emotions drawn evenly or as they occur.
        base: weights of public networks, where the synthesizer starts from some.
        labels: the emotions in order, which is the meaning of every class number.
        space: what an example is.
        seed: of everything that is drawn.
        around: machine, snapshots to resume from, who is told how it goes.
        held: whether there are examples of each label; nothing, where there are of all. What is fitted without an
            emotion keeps its shapes, holds no number that is none, and is never asked for that emotion.
    """

    examples: Callable[[bool], Examples]
    base: Weights
    labels: tuple[str, ...]
    space: Space
    seed: int
    around: Surroundings
    held: tuple[bool, ...] = ()

    @property
    def classes(self) -> int:
        """How many emotions there are."""
        return len(self.labels)

    @property
    def known(self) -> tuple[int, ...]:
        """The classes of which there are examples."""
        return tuple(number for number in range(self.classes) if not self.held or self.held[number])


@dataclass(frozen=True)
class Distilling:
    """All that making a release smaller may see, and no speech is among it.

    Args:
        weights: what was fitted.
        public: what a small release is the difference to.
        form: of that release.
        seed: of everything that is drawn, and of the rounding when it leaves.
        around: machine, snapshots to resume from, who is told how it goes.
        held: whether it was fitted to examples of each label; nothing, where it was to all. It is asked for no other.
    """

    weights: Weights
    public: Weights
    form: Form
    seed: int
    around: Surroundings
    held: tuple[bool, ...] = ()


@dataclass(frozen=True)
class Cost:
    """What a fit takes: training steps, told in steps of the paper's fine-tuning, and bytes of memory at its peak."""

    steps: int
    bytes: int


S = TypeVar("S", bound=Section)


@dataclass(frozen=True)
class Sums(Generic[S]):
    """How a synthesizer is made of sums over utterances, which add up over sites.

    Args:
        size: how many numbers are summed, for settings and so many emotions.
        brought: what a site adds. Where its settings promise privacy, with its part of the noise: the parts of so many
            sites together hide an utterance, and a sum of fewer is never taken.
        released: what a synthesizer would release, from the sum over all sites and nothing else.
        shapes: names and shapes of that.
    """

    size: Callable[[S, int], int]
    brought: Callable[[Fitting, S, int], NDArray[np.float64]]
    released: Callable[[NDArray[np.float64], S, Space, int], dict[str, Tensor]]
    shapes: Callable[[S, Space, int], Shapes]


@dataclass(frozen=True)
class Synthesizer(Generic[S]):
    """One way of making speech from speech.

    Args:
        name: in the registry, in orders, on the command line and in results.
        paper: where it comes from.
        about: one sentence.
        released: what leaves the place where it was fitted, in words.
        Settings: all of its settings, bounded; a field is a section of the configuration, shared or of its own.
        spaces: the kinds of example that it can be fitted to.
        reach: whether what is fitted may leave.
        cost: what a fit takes.
        fit: train; the answer is what may be released. Resumes from the snapshots around it.
        shapes: names and shapes of what is released.
        sampler: a sampler of released weights.
        base: names and shapes of the public networks that it starts from; nothing where it starts from none.
        reference: those networks as a release that was not tuned, which a small release is the difference to.
        probe: numbers measured on a base with noise, before speech is read, that a site's policy bounds.
        numbers: its settings by the names of the bounds in a site's policy; a name that has none there is refused.
        stages: of training, as snapshots name them.
        privacy: what its settings promise; nothing, where its fit reads speech without a mechanism.
        private: which settings ask for a promise, and what is promised; empty where it has none.
        sums: how it is made of sums, where it can be.
        distil: what is fitted, trained once more so that a cut to a form loses nothing but rounding; None where a
            cut is all that can be done. Resumes as a fit does, in a stage called `distillation`.
        row: what tables call it, where that is not its name.
    """

    name: str
    paper: str
    about: str
    released: str
    Settings: type[S]
    spaces: frozenset[type[Patches] | type[Vectors]]
    cost: Callable[[S, Space, int], Cost]
    fit: Callable[[Fitting, S], dict[str, Tensor]]
    shapes: Callable[[S, Space, int], Shapes]
    sampler: Callable[[Weights, S, Space, int, torch.device], Sampler]
    base: Callable[[S, int], Shapes] = lambda settings, classes: {}
    reference: Callable[[Weights, S, int], Weights] | None = None
    probe: Callable[[Weights, S, int], Mapping[str, float]] = lambda base, settings, classes: {}
    numbers: Callable[[S], Numbers] = lambda settings: {}
    reach: Reach = "anywhere"
    stages: tuple[str, ...] = ()
    privacy: Callable[[S], Privacy | None] = lambda settings: None
    private: str = ""
    sums: Sums[S] | None = None
    distil: Callable[[Distilling, S], dict[str, Tensor]] | None = None
    row: str = ""

    @property
    def title(self) -> str:
        """What tables call it."""
        return self.row or self.name

    def is_based(self, settings: S, classes: int) -> bool:
        """Whether a release can leave as a difference to public networks."""
        return self.reference is not None and bool(self.base(settings, classes))

    def reference_of(self, base: Weights, settings: S, classes: int) -> Weights:
        """What it is the difference to; nothing, where there is no such thing."""
        return self.reference(base, settings, classes) if self.reference is not None and base else {}

    def released_by(self, fitting: Fitting, settings: S) -> dict[str, Tensor]:
        """What a fit gives, if it is what its shapes tell."""
        released = self.fit(fitting, settings)
        told = {name: tuple(shape) for name, shape in self.shapes(settings, fitting.space, fitting.classes).items()}
        found = {name: tuple(value.shape) for name, value in released.items()}
        if wrong := [name for name in {**told, **found} if told.get(name) != found.get(name)]:
            shown = [f"{name} is {found.get(name, 'missing')}, told {told.get(name, 'nothing')}" for name in wrong]
            remedy = "a synthesizer's fit and its shapes must say the same: tell whoever wrote it"
            what = f"what {self.name} releases does not match its shapes"
            raise UserError(what, where="; ".join(shown), remedy=remedy)
        return released

    def distilled(self, whole: Distilling, settings: S) -> dict[str, Tensor]:
        """What is fitted, so that a cut loses nothing but rounding; refused where a cut is all that can be done."""
        if self.distil is None:
            raise UserError(f"{self.name} cannot be distilled", remedy="set release.distilled to false")
        return self.distil(whole, settings)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes by name: each has the registry."""
        from common.synthesizers import synthesizer

        return synthesizer, (self.name,)

    def settings_of(self, sections: Any) -> S:
        """Its settings, from whatever has their sections as attributes, such as a whole configuration."""
        return settings_from(self.Settings, sections)
