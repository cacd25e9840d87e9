"""Vectors of public speech that come with the package, and its mean spectrum: unlabelled, and of nobody's session.

Owns where they lie and how they are read and made. Must not know what they are used for.
"""

import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from common.corpora.audio import load
from common.corpora.manifest import Manifest, Utterance
from common.errors import UserError
from common.features.sets import feature_set
from common.features.silence import trimmed
from common.settings import FeatureConfig, RuntimeConfig, VectorConfig
from common.space import SAMPLE_RATE
from common.training.checkpoint import read_tensors, save_tensors
from common.training.standard import Standard

FOLDER = Path(__file__).parent / "public_vectors"
VALUES, SPECTRUM = "vectors", "log-mel"
SECONDS = 3.0
"""Of each utterance: about as long as an acted one, for many statistics grow with the time that they look at."""
LICENCES = {"librispeech": "CC BY 4.0"}
MOST = 200
"""Utterances, of as many speakers: 1.4 MB."""


def public_vectors(name: str) -> Tensor:
    """[n, size], raw, of the set that spaces call so; silence is cut off as the usual settings have it."""
    return _read(name).clone()


def public_standard(name: str) -> Standard:
    """Mean and deviation of them."""
    return Standard.of(public_vectors(name))


@lru_cache(maxsize=2)
def _read(name: str) -> Tensor:
    folder = _folder(name)
    tensors, card = read_tensors(folder)
    if card.get("set") != feature_set(name).digest:
        raise UserError("public vectors of another version of their set", where=folder, remedy="make them anew")
    return tensors[VALUES]


def _folder(name: str) -> Path:
    # Flower runs a copy of this code that has left all tensors behind; the installed one has them.
    for place in (FOLDER, *(Path(one) / "common" / "features" / FOLDER.name for one in sys.path)):
        if (place / name).is_dir():
            return place / name
    remedy = "set vectors.normalisation to session or training, or vectors.set to functionals"
    raise UserError("no vectors of public speech come with this set", where=name, remedy=remedy)


def make_public_vectors(manifest: Manifest, config: VectorConfig, folder: Path) -> int:
    """Write those of a public corpus: the middle of an utterance of each speaker; the answer is how many."""
    own = feature_set(config.set, config.options)
    chosen = _first_of_each(manifest)
    rows = [own.extract(trimmed(_middle(load(manifest.root / one.file, one.part)), config.trim)) for one in chosen]
    values = torch.from_numpy(np.stack(rows))
    about = {"corpus": manifest.corpus, "licence": LICENCES.get(manifest.corpus, ""), "seconds": SECONDS}
    about["utterances"] = [one.path for one in chosen]
    save_tensors(folder, {VALUES: values}, {"set": own.digest, "trim": config.trim, **about})
    return len(values)


def public_spectrum(config: FeatureConfig) -> NDArray[np.float32]:
    """[mels]: the mean log-mel of public speech under these windows."""
    tensors, card = read_tensors(_folder(SPECTRUM))
    if card["features"] != _windows(config):
        remedy = f"set features.normalisation = public, or features as {card['features']}"
        raise UserError("no mean spectrum of public speech comes with these features", remedy=remedy)
    return np.asarray(tensors[SPECTRUM].numpy())


def make_public_spectrum(manifest: Manifest, config: FeatureConfig, runtime: RuntimeConfig, folder: Path) -> int:
    """Write that of a public corpus, from an utterance of each speaker; the answer is how many."""
    from common.features.cache import features_for
    from common.features.spectrum import mean_spectrum

    chosen = {one.path for one in _first_of_each(manifest)}
    part = manifest.where(lambda utterance: utterance.path in chosen)
    mean = mean_spectrum(features_for(part, config, runtime))
    about = {"corpus": manifest.corpus, "licence": LICENCES.get(manifest.corpus, ""), "utterances": sorted(chosen)}
    save_tensors(folder, {SPECTRUM: torch.from_numpy(mean)}, {"features": _windows(config), **about})
    return len(chosen)


def _windows(config: FeatureConfig) -> dict[str, Any]:
    return config.model_dump(mode="json", exclude={"trim", "normalisation"})


def _first_of_each(manifest: Manifest) -> list[Utterance]:
    first = {utterance.speaker: utterance for utterance in reversed(manifest.utterances)}
    return [first[speaker] for speaker in manifest.speakers][:MOST]


def _middle(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    wanted = int(SECONDS * SAMPLE_RATE)
    start = max(len(waveform) - wanted, 0) // 2
    return waveform[start : start + wanted]
