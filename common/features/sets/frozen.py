"""Frozen self-supervised encoders as features: wav2vec 2.0, HuBERT, WavLM, through the optional extra `ssl`.

Owns the way from a folder or a hub's name to a vector of pooled states. Must not know what they are used for.

Options: layer (0 is what enters the first, -1 leaves the last), pooling (mean, or mean+deviation).
"""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from common.errors import UserError
from common.features.sets.feature_set import FeatureSet, Vector, Waveform

MISSING = "pip install 'eyesoff[ssl]'"
POOLINGS = ("mean", "mean+deviation")
UNKNOWN = "not told by its card: look it up before you use it"
TINY = 1e-7


def frozen_set(which: str, options: Mapping[str, str]) -> FeatureSet:
    """An encoder by its folder, or by its name in a hub, which a machine without a network can only have in a cache."""
    layer, pooling = _checked(options)
    if not which:
        raise UserError("which encoder?", remedy="ssl:<folder or hub name>, such as ssl:facebook/hubert-base-ls960")
    model, digest, licence = _opened(which)
    states = model.config.num_hidden_layers
    if not -states - 1 <= layer <= states:
        raise UserError(f"no layer {layer}", where=which, remedy=f"it has 0 to {states}")
    size, layer = model.config.hidden_size, layer % (states + 1)
    names = [f"{part}.{number + 1}" for part in pooling.split("+") for number in range(size)]
    name = f"ssl.{digest}.layer{layer}.{pooling.replace('+', '.')}"
    return FeatureSet(name, digest, licence, tuple(names), lambda wave: _vector(model, wave, layer, pooling))


def _checked(options: Mapping[str, str]) -> tuple[int, str]:
    if strange := set(options) - {"layer", "pooling"}:
        raise UserError("no such option of ssl", where=", ".join(sorted(strange)), remedy="there are layer and pooling")
    pooling = options.get("pooling", "mean")
    if pooling not in POOLINGS:
        raise UserError("no such pooling", where=pooling, remedy=f"there are {', '.join(POOLINGS)}")
    try:
        return int(options.get("layer", "-1")), pooling
    except ValueError:
        raise UserError("a layer is a number", where=options["layer"], remedy="layer=-1 is the last") from None


@lru_cache(maxsize=2)
def _opened(which: str) -> tuple[Any, str, str]:
    """The encoder, a digest of its weights, and its licence as far as it tells one."""
    try:
        from transformers import AutoModel  # takes seconds to load, and is there where somebody wants it
    except ImportError as error:
        raise UserError(f"transformers is not installed ({error.name})", where=which, remedy=MISSING) from None
    folder = Path(which).expanduser()
    try:
        model = AutoModel.from_pretrained(
            str(folder) if folder.is_dir() else which, local_files_only=folder.is_dir(), use_safetensors=True
        ).eval()
    except Exception as error:  # whatever the library says
        reason = str(error).strip().splitlines()[0][:200]
        remedy = "name a folder with config.json and model.safetensors, or a hub's name with a network at hand"
        raise UserError(f"the encoder cannot be opened ({reason})", where=which, remedy=remedy) from None
    if not hasattr(model.config, "num_hidden_layers") or not hasattr(model.config, "conv_stride"):
        raise UserError("not an encoder of waveforms", where=which, remedy="name a wav2vec 2.0, a HuBERT or a WavLM")
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode() + value.detach().float().contiguous().numpy().tobytes())
    return model.requires_grad_(False), digest.hexdigest()[:12], _licence(folder)


def _licence(folder: Path) -> str:
    """As a model card's heading has it."""
    card = folder / "README.md"
    lines = card.read_text(encoding="utf-8").splitlines() if card.is_file() else []
    told = [line.partition(":")[2].strip() for line in lines if line.startswith("license:")]
    config = folder / "config.json"
    if not told and config.is_file():
        told = [str(json.loads(config.read_text(encoding="utf-8")).get("license", ""))]
    return next(filter(None, told), UNKNOWN)


@torch.inference_mode()
def _vector(model: Any, waveform: Waveform, layer: int, pooling: str) -> Vector:
    scaled = (waveform - waveform.mean()) / np.sqrt(waveform.var() + TINY)
    states = model(torch.from_numpy(scaled)[None].float(), output_hidden_states=True).hidden_states[layer][0].float()
    parts = [states.mean(dim=0)]
    if pooling == "mean+deviation":
        parts.append(states.std(dim=0, correction=0))
    vector: Vector = torch.cat(parts).numpy()
    return vector
