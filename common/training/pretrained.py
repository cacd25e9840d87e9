"""Pre-trained networks as they are kept and shipped: weights of both, their scaling, and a card that says whence.

Owns that one folder's content. Must not know how pre-training went.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from common.errors import UserError, UserErrors
from common.features.scaling import Scaling
from common.networks.layers import converge_norms, learned_weights
from common.settings import RETIRED, FeatureConfig, NetworkConfig
from common.training.checkpoint import (
    CARD,
    Card,
    differences,
    read_tensors,
    refuse_other_shapes,
    save_tensors,
)
from common.training.stages import Pair

SHIPPED = ("demo", "small")
"""Presets that come with networks."""
WIDE = 2**18
"""Matrices of more numbers than this are shipped in 8 bits: they are nine tenths of the file."""
ANY = {"trim", "normalisation"}
"""Of features, what may differ from the networks': which part of a recording is looked at, and what a session's mean is
made to be."""
ROWS, SCALES = ".rows8", ".scales"
SMALLEST_SCALE = 2.0**-14
"""The smallest number that fp16 holds in full precision."""


@dataclass(frozen=True)
class Pretrained:
    """What a fine-tuning starts from."""

    pair: Pair
    scaling: Scaling
    card: Card


def save_pretrained(
    folder: Path, pair: Pair, scaling: Scaling, settings: Mapping[str, Any], about: Mapping[str, Any]
) -> Card:
    """Write weights in fp32 and their card: the settings that defined them, and what only the writer knows."""
    tensors = {
        f"{name}/{key}": value for name, network in pair.named().items() for key, value in network.state_dict().items()
    }
    return save_tensors(folder, tensors, {"scaling": asdict(scaling), "settings": dict(settings), **about})


def load_pretrained(folder: Path, network: NetworkConfig, features: FeatureConfig, classes: int) -> Pretrained:
    """Both networks in fp32; refused where sizes or features are not these. A condition means nothing to them yet."""
    packed, card = read_tensors(folder)
    if "settings" not in card:
        remedy = "name the run's folder `pretrained`"
        raise UserError("a snapshot of a training, not pre-trained networks", where=folder, remedy=remedy)
    tensors = unpack(packed)
    made, stored = features.model_dump(mode="json", exclude=ANY), card["settings"]["features"]
    stored = {name: value for name, value in stored.items() if name not in ANY}
    if problems := list(differences(RETIRED | stored, RETIRED | made, "features")):
        raise UserErrors(f"{folder}: pre-trained on other features", problems)
    pair = Pair.fresh(network, classes, seed=0)
    named = pair.named()
    expected = {f"{name}/{key}": value for name, one in named.items() for key, value in one.state_dict().items()}
    refuse_other_shapes(tensors, expected, folder)
    for name, one in named.items():
        one.load_state_dict({key: tensors[f"{name}/{key}"] for key in one.state_dict()})
        converge_norms(one)
    return Pretrained(pair, Scaling(**card["scaling"]), card)


def learned_in(folder: Path) -> tuple[dict[str, Tensor], Card]:
    """What training made of the networks in a folder, by the names that it travels by, and the folder's card."""
    packed, card = read_tensors(folder)
    weights = {name.replace("/", ".", 1): value for name, value in unpack(packed).items()}
    return learned_weights(weights), card


def pretrained_hash(folder: Path) -> str:
    """What tells these networks from all others, wherever they lie."""
    return str(read_tensors(folder)[1]["sha256"])


def shipped_weights(preset: str) -> Path:
    """The folder of the networks that come with a preset."""
    # Flower runs a copy of this code that has left all weights behind; the installed one has them.
    for place in (Path(__file__).resolve().parents[2], *map(Path, sys.path)):
        if (folder := place / "common" / "pretrained" / preset).is_dir():
            return folder
    raise UserError("no networks are shipped for this preset", where=preset, remedy="`eyesoff pretrain` makes some")


def fitting_weights(network: NetworkConfig) -> Path:
    """The folder of the shipped networks of these sizes, whatever preset they came with."""
    problems = []
    for preset in SHIPPED:
        folder = shipped_weights(preset)
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        stored = {name: value for name, value in card["settings"]["network"].items() if name != "emotions"}
        unlike = list(differences(stored, network.model_dump(mode="json"), "network"))
        if not unlike:
            return folder
        problems += [f"{preset}: {line}" for line in unlike]
    remedy = "name some with --base; `eyesoff pretrain` makes them"
    raise UserErrors(f"no networks of these sizes are shipped; {remedy}", problems)


def pack(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights as they are shipped: fp16, the wide matrices as 8-bit rows, each with the fp16 scale of its own."""
    packed = {}
    for name, value in tensors.items():
        if value.ndim != 2 or value.numel() <= WIDE:
            packed[name] = value.half()
        else:
            scales = (value.abs().amax(dim=1, keepdim=True) / 127).half().clamp_min(SMALLEST_SCALE)
            packed[name + ROWS] = (value / scales.float()).round().clamp(-127, 127).to(torch.int8)
            packed[name + SCALES] = scales
    return packed


def unpack(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What `pack` was given, to the precision that is left; unpacked weights pass through."""
    tensors = {name: value.float() for name, value in packed.items() if not name.endswith((ROWS, SCALES))}
    for name, rows in packed.items():
        if name.endswith(ROWS):
            whole = name.removesuffix(ROWS)
            tensors[whole] = rows.float() * packed[whole + SCALES].float()
    return tensors
