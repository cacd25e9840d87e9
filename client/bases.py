"""The public networks that a tuning may start from: the installation's own, those that a site keeps, and how they look.

Owns where a base is found by its digest and what is unusual about one. Must not know who asked for it. No speech is
read here: a base is looked at with noise alone.
"""

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import Tensor

from client.bounds import Bounds
from common.config.reading import mistakes_in
from common.errors import UserError
from common.settings import NetworkConfig
from common.synthesizers import SYNTHESIZERS
from common.training.checkpoint import CARD, save_tensors
from common.training.pretrained import SHIPPED, learned_in, shipped_weights
from common.wire import Extremes, base_digest, weights_digest

BASES = "bases"
MANY_ZEROS, SMALL_GRADIENT = 0.2, 10.0
"""From where on a look is unusual."""
CLASSES = 2, 17
"""From how many emotions to which a base may be made for."""


@dataclass(frozen=True)
class Base:
    """Public networks and the extremes that scale speech for them."""

    weights: Mapping[str, Tensor]
    scaling: Extremes | None

    @property
    def digest(self) -> str:
        """What a policy lists."""
        return base_digest(weights_digest({"base": self.weights}), self.scaling)


def read_base(folder: Path) -> Base:
    """The networks in a folder as pre-training or this module wrote it."""
    weights, card = learned_in(folder)
    if "scaling" not in card or not weights:
        raise UserError("not the networks of a pre-training", where=folder, remedy="name a run's folder `pretrained`")
    return Base(weights, _scaling(card["scaling"], folder))


def _scaling(told: Any, folder: Path) -> Extremes | None:
    try:
        return None if told is None else Extremes.model_validate(told)
    except ValidationError as error:
        found = "; ".join(mistakes_in(error, hint="there are low and high"))
        raise UserError(f"the networks' scaling is damaged: {found}", where=folder, remedy="pre-train anew") from None


@lru_cache(maxsize=1)
def shipped_bases() -> dict[str, Path]:
    """Digest to folder, for the networks that come with this installation."""
    folders = map(shipped_weights, SHIPPED)
    return {read_base(folder).digest: folder for folder in folders}


class Bases:
    """The bases that a site has: its own, kept in its state, and the installation's."""

    def __init__(self, state: Path) -> None:
        self._folder = state / BASES

    def has(self, digest: str) -> bool:
        """Whether a tuning could start from it without its being sent."""
        return (self._folder / digest / CARD).exists() or digest in shipped_bases()

    def keep(self, base: Base) -> None:
        """Store what was sent, so that it need not be sent again."""
        if not self.has(base.digest):
            scaling = None if base.scaling is None else base.scaling.model_dump(mode="json")
            save_tensors(self._folder / base.digest, base.weights, {"scaling": scaling})

    def forget_all_but(self, digests: Collection[str]) -> None:
        """Let go of what the site no longer accepts."""
        for folder in self._folder.glob("*"):
            if folder.name not in digests:
                shutil.rmtree(folder, ignore_errors=True)

    def find(self, digest: str) -> Base:
        """The base of this digest; a copy that was damaged here is not it, and goes, so that it is sent again."""
        own = self._folder / digest
        folder = own if (own / CARD).exists() else shipped_bases().get(digest, own)
        try:
            base = read_base(folder)
            if base.digest != digest:
                raise UserError("a stored base is not what it was", where=folder, remedy="ask again to have it sent")
        except UserError:
            shutil.rmtree(own, ignore_errors=True)
            raise
        return base


def probe(base: Base, network: NetworkConfig) -> dict[str, float]:
    """What a look with noise says of a base, by the names of the bounds: each synthesizer's that can start from it."""
    shapes = {name: tuple(value.shape) for name, value in base.weights.items()}
    numbers: dict[str, float] = {}
    for method in SYNTHESIZERS:
        if "network" not in method.Settings.model_fields:
            continue
        settings = method.Settings(network=network)
        for classes in range(*CLASSES):
            if shapes == dict(method.base(settings, classes)):
                numbers |= method.probe(base.weights, settings, classes)
    return numbers


def unusual(base: Base, network: NetworkConfig, bounds: Bounds) -> list[str]:
    """What a steward should think about before accepting a base, a line each; the shipped ones have none of it."""
    lines = []
    for name, value in base.weights.items():
        if value.ndim > 1 and (share := float((value == 0).float().mean())) > MANY_ZEROS:
            lines.append(f"{name}: {share:.0%} of the weights are exactly zero; training leaves none so")
    numbers = probe(base, network)
    lines += [f"{line}: the bounds of this site refuse it" for line in bounds.outside(numbers)]
    if not numbers:
        lines.append("no synthesizer that is installed here can start from it")
    if (gradient := numbers.get("gradient", SMALL_GRADIENT)) < SMALL_GRADIENT:
        lines.append(f"a first step's gradient is {gradient:.2g} times Adam's epsilon: steps would copy the gradient")
    return lines
