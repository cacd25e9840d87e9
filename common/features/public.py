"""Vectors of public speech that come with the package: unlabelled, and of nobody's session.

Owns where they lie and how they are read and made. Must not know what they are used for.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from common.corpora.audio import load
from common.corpora.manifest import Manifest
from common.errors import UserError
from common.features.sets import feature_set
from common.features.silence import trimmed
from common.settings import VectorConfig
from common.space import SAMPLE_RATE
from common.training.checkpoint import read_tensors, save_tensors
from common.training.standard import Standard

FOLDER = Path(__file__).parent / "public_vectors"
VALUES = "vectors"
SECONDS = 3.0
"""Of each utterance: about as long as an acted one, for many statistics grow with the time that they look at."""
MOST = 200
"""Utterances, of as many speakers: 1.4 MB."""


def public_vectors(config: VectorConfig) -> Tensor:
    """[n, size], raw, of the set that settings name."""
    own = feature_set(config.set, config.options)
    folder = FOLDER / own.name
    if not folder.exists():
        remedy = "set vectors.normalisation to session or training, or vectors.set to functionals"
        raise UserError(f"no vectors of public speech come with the set {own.name}", where=str(folder), remedy=remedy)
    return _read(folder, own.digest).clone()


def public_standard(config: VectorConfig) -> Standard:
    """Mean and deviation of them."""
    return Standard.of(public_vectors(config))


@lru_cache(maxsize=2)
def _read(folder: Path, digest: str) -> Tensor:
    tensors, card = read_tensors(folder)
    if card.get("set") != digest:
        raise UserError("public vectors of another version of their set", where=folder, remedy="make them anew")
    return tensors[VALUES]


def make_public_vectors(manifest: Manifest, config: VectorConfig, folder: Path) -> int:
    """Write those of a public corpus: the middle of an utterance of each speaker; the answer is how many."""
    own = feature_set(config.set, config.options)
    first = {utterance.speaker: utterance for utterance in reversed(manifest.utterances)}
    chosen = [first[speaker] for speaker in manifest.speakers][:MOST]
    rows = [own.extract(trimmed(_middle(load(manifest.root / one.path)), config.trim)) for one in chosen]
    values = torch.from_numpy(np.stack(rows))
    about = {"corpus": manifest.corpus, "seconds": SECONDS, "utterances": [one.path for one in chosen]}
    save_tensors(folder, {VALUES: values}, {"set": own.digest, "trim": config.trim, **about})
    return len(values)


def _middle(waveform: np.ndarray) -> np.ndarray:
    wanted = int(SECONDS * SAMPLE_RATE)
    start = max(len(waveform) - wanted, 0) // 2
    return waveform[start : start + wanted]
