"""What a synthesizer is: fitted where data is, released, and sampled where data is not.

Owns that form. Must not know any synthesizer, nor who fits one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor

from common.config.tree import Config
from common.settings import NetworkConfig
from common.training.draws import Patches
from common.training.phases import Surroundings
from common.training.stages import Pair

Weights = Mapping[str, Tensor]


class Sampler(Protocol):
    """Whatever turns wanted emotions into patches."""

    def sample(self, wanted: Tensor, stream: torch.Generator, latent_scale: float = 1.0) -> Tensor:
        """Classes [n] -> patches [n, 1, 128, 128] in [-1, 1], on the CPU.

        What is drawn from the stream does not hang on the classes: the same stream shows the same latents under each.
        """
        ...


@dataclass(frozen=True)
class Speech:
    """What a synthesizer may be fitted to: labelled patches, and the networks that public speech pre-trained.

    Args:
        base: the pre-trained pair; it stays as it was.
        patches: a source of training patches, of a seed, with emotions drawn evenly or as they occur.
    """

    base: Pair
    patches: Callable[[int, bool], Patches]


Fitted = TypeVar("Fitted")


@dataclass(frozen=True)
class Synthesizer(Generic[Fitted]):
    """One way of making speech from speech.

    Args:
        name: in the registry, on the command line and in results.
        paper: where it comes from.
        released: what leaves the place where it was fitted.
        about: one sentence.
        settings: the settings that define a fit, as plain data.
        steps: what a fit costs, told in steps of the paper's fine-tuning, to foretell its time.
        fit: train on speech, with a seed; resumes from the snapshots around it.
        release: the weights that may leave, of what was fitted.
        sampler: a sampler of released weights.
    """

    name: str
    paper: str
    released: str
    about: str
    settings: Callable[[Config], Mapping[str, Any]]
    steps: Callable[[Config], int]
    fit: Callable[[Speech, Config, int, Surroundings], Fitted]
    release: Callable[[Fitted], dict[str, Tensor]]
    sampler: Callable[[Weights, NetworkConfig, torch.device | None], Sampler]
