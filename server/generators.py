"""A generator that is ready to be drawn from, in whatever file it lies.

Owns what can be opened and the reasons why something cannot. Must not know what is drawn, nor what for.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from common.config import Config, FeatureConfig, load_config
from common.errors import UserError
from common.features.scaling import Scaling
from common.features.spaces import identity_in
from common.networks import release_weights
from common.spaces import PATCHES
from common.synthesizers import Sampler, synthesizer
from common.training.checkpoint import CARD as STORED
from common.training.checkpoint import read_tensors, refuse_pickle
from common.training.pretrained import load_pretrained
from common.wire.terms import Tuning
from server.bank import CARD, INDEX, WEIGHTS, Bank, Banked
from server.run import CONFIG
from server.samplers import sampler_in

REMEDY = (
    "name a release by its .safetensors file, a bank by its folder or the zip file of an export, or pre-trained "
    "networks by their folder"
)


@dataclass(frozen=True)
class Origin:
    """Where samples come from, and what their numbers and labels mean."""

    name: str
    sha256: str
    labels: tuple[str, ...]
    scaling: Scaling
    features: FeatureConfig


@dataclass(frozen=True)
class OpenGenerator:
    """A generator, where it comes from, and which of its labels it knows; one that is not tuned knows no emotion."""

    origin: Origin
    sampler: Sampler
    known: tuple[str, ...]

    @property
    def tuned(self) -> bool:
        """Whether any emotion may be asked of it."""
        return bool(self.known)


def open_generator(path: Path) -> OpenGenerator:
    """A release in a bank, by its file, or pre-trained networks, by their folder."""
    if path.suffix == WEIGHTS and path.is_file():
        return _open_release(path)
    _refuse_other_places(path)
    return _open_pretrained(path)


def _refuse_other_places(path: Path) -> None:
    """What is neither a release nor anything like networks."""
    if not path.exists():
        raise UserError("no such release, bank or networks", where=path, remedy=REMEDY)
    if path.is_file():
        refuse_pickle(path)
        raise UserError("a file that is neither a release nor a bank", where=path, remedy=REMEDY)
    if not (path / STORED).is_file() and not any(path.glob(f"*{WEIGHTS}")):
        raise UserError("a folder that holds neither a bank nor networks", where=path, remedy=REMEDY)


def _open_release(path: Path) -> OpenGenerator:
    # Its own card alone is read: a release may be looked at in a folder that is no bank.
    try:
        banked = Banked.model_validate_json(path.with_suffix(CARD).read_bytes())
    except FileNotFoundError:
        remedy = f"copy {path.stem}{CARD} beside it from its bank; pre-trained networks are named by their folder"
        raise UserError("a release without its card", where=path, remedy=remedy) from None
    except (OSError, ValidationError):
        raise UserError("the card of a release cannot be read", where=path.with_suffix(CARD)) from None
    if banked.name != path.stem:
        raise UserError(f"its card is that of {banked.name}", where=path, remedy="give both files their name again")
    bank = Bank(path.parent)
    sampler = sampler_in(bank, banked)
    tuning = banked.card.tuning
    if tuning.scaling is None:
        remedy = "name its whole bank, which gives a training set of vectors"
        raise UserError("samples of this release are no spectrograms", where=path, remedy=remedy)
    scaling = Scaling(tuning.scaling.low, tuning.scaling.high)
    features = settings_of(tuning, path.parent).features
    origin = Origin(banked.name, banked.sha256, tuning.labels, scaling, features)
    return OpenGenerator(origin, sampler, banked.card.emotions)


def settings_of(tuning: Tuning, bank: Path, *also: Config) -> Config:
    """A configuration with the features that a release names by their hash.

    They are the usual ones, those of a configuration at hand, or stand beside the bank: in its run's configuration, or
    in the index of an export.
    """
    run = bank.resolve().parent
    known = [Config(), *also]
    if (run / CONFIG).is_file():
        known.append(load_config(run / CONFIG))
    known += exported_settings(bank)
    for config in known:
        if identity_in(tuning.space, config) == tuning.features:
            return config
    what = f"releases of features that are unknown here ({tuning.features})"
    raise UserError(what, where=bank, remedy=f"put its run's {CONFIG} in {run}")


def exported_settings(bank: Path) -> list[Config]:
    """What the index of an export tells of features; nothing where there is none, or none that can be read."""
    try:
        told = json.loads((bank / INDEX).read_bytes())["settings"]
        return [Config.model_validate(one) for one in told]
    except (OSError, ValueError, KeyError, TypeError):  # pydantic's errors are ValueErrors
        return []


def _open_pretrained(folder: Path) -> OpenGenerator:
    if releases := [path for path in sorted(folder.glob(f"*{WEIGHTS}")) if path.with_suffix(CARD).is_file()]:
        raise UserError("a bank, not a generator", where=folder, remedy=f"name a file in it, such as {releases[0]}")
    _, card = read_tensors(folder)
    try:
        config = Config.model_validate(_sections(card["settings"]))
    except (KeyError, ValidationError):
        remedy = "name the `pretrained` folder of a run, or one that `eyesoff pretrain --export` wrote"
        raise UserError("not pre-trained networks: its card tells no settings", where=folder, remedy=remedy) from None
    classes = len(card.get("labels", config.corpus.emotions))
    pretrained = load_pretrained(folder, config.network, config.features, classes)
    name = folder.resolve().name
    origin = Origin(name, card["sha256"], config.corpus.emotions, pretrained.scaling, config.features)
    floor = synthesizer("floor")
    weights = release_weights(pretrained.pair.generator)
    sampler = floor.sampler(weights, floor.settings_of(config), PATCHES, classes, torch.device("cpu"))
    return OpenGenerator(origin, sampler, known=())


def _sections(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a card tells; older ones name the emotions among the network's settings."""
    network = {name: value for name, value in settings["network"].items() if name != "emotions"}
    return {**settings, "network": network}
