"""Patches: the pictures of `SIDE` frames that networks see, cut from log-mels by chance or by a window.

Owns how short utterances are filled, where patches are cut and which utterance comes when. Must not know what is
trained. Any step's batch can be drawn in any order: it depends on the seed, the stream's name and the step alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from common.corpora.manifest import Manifest
from common.errors import UserError
from common.features.scaling import Scaling
from common.seeds import numpy_stream
from common.space import SIDE

UNLABELLED = -1


class LogMelsOfAll(Protocol):
    """The log-mel of each utterance by its number: a list of them, or what a cache holds."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[NDArray[np.float16]]: ...

    def __getitem__(self, number: int, /) -> NDArray[np.float16]: ...


@dataclass(frozen=True)
class Batch:
    """Values [batch, *shape], such as patches in [-1, 1], and their classes [batch], -1 where there is no label."""

    values: Tensor
    labels: Tensor


def fill(scaled: Tensor, frames: int = SIDE) -> Tensor:
    """At least `frames` frames: [mels, n] as it is, or repeated to exactly that many.

    Open in the paper. Repeating leaves no silent edge that a discriminator could take for a sign of the real.

    >>> fill(torch.tensor([[1.0, 2.0, 3.0]]), 5)
    tensor([[1., 2., 3., 1., 2.]])
    """
    have = scaled.shape[1]
    return scaled if have >= frames else scaled[:, torch.arange(frames) % have]


def windows(scaled: Tensor, hop: int) -> Tensor:
    """Every `hop` frames a patch, the last one at the very end: [mels, n] -> [windows, 1, mels, 128]."""
    filled = fill(scaled)
    last = filled.shape[1] - SIDE
    starts = [*range(0, last, hop), last]
    return torch.stack([filled[:, start : start + SIDE] for start in starts])[:, None]


class PatchSource:
    """Training patches: an utterance by chance, then a place in it by chance.

    Args:
        features: the log-mels of the manifest's utterances, in its order.
        balanced: draw the emotions that are there evenly, then an utterance of that emotion, instead of all
            utterances alike.
        offsets: what is added to each utterance's bands before they are scaled, [utterances, mels].
    """

    def __init__(
        self,
        features: LogMelsOfAll,
        manifest: Manifest,
        scaling: Scaling,
        seed: int,
        *,
        balanced: bool = False,
        offsets: NDArray[np.float32] | None = None,
    ) -> None:
        if not len(manifest):
            raise UserError("no utterance to draw patches from", where=f"corpus {manifest.corpus}")
        if len(features) != len(manifest):
            raise ValueError(f"features of {len(features)} utterances for a manifest of {len(manifest)}")
        self._features, self._scaling, self._seed = features, scaling, seed
        self._offsets = None if offsets is None else torch.from_numpy(offsets)
        self._frames = np.array([log_mel.shape[1] for log_mel in features])
        self._labels = np.array(
            [UNLABELLED if u.emotion is None else manifest.label_index(u) for u in manifest.utterances]
        )
        groups = _by_emotion(self._labels, manifest) if balanced else [np.arange(len(manifest))]
        self._members, self._sizes = np.concatenate(groups), np.array([len(group) for group in groups])

    def batch(self, step: int, size: int, stream: str = "train") -> Batch:
        """The patches of one step."""
        chance = numpy_stream(self._seed, stream, step)
        groups = chance.integers(len(self._sizes), size=size)
        firsts = (np.cumsum(self._sizes) - self._sizes)[groups]
        chosen = self._members[firsts + chance.integers(self._sizes[groups])]
        starts = chance.integers(np.maximum(self._frames[chosen] - SIDE, 0) + 1)
        return Batch(self._cut(chosen, starts), torch.from_numpy(self._labels[chosen]))

    def _cut(self, chosen: NDArray[np.int64], starts: NDArray[np.int64]) -> Tensor:
        """[size, 1, mels, 128]: gathered as they lie on disk, then scaled together."""
        gathered = np.empty((len(chosen), len(self._features[0]), SIDE), np.float16)
        for patch, number, start in zip(gathered, chosen, starts, strict=True):
            found = self._features[number][:, start : start + SIDE]
            patch[:, : found.shape[1]] = found
        levels = torch.from_numpy(gathered)
        if self._offsets is not None:
            levels = levels.float() + self._offsets[torch.from_numpy(chosen)][:, :, None]
        patches = self._scaling.apply(levels)
        for place in np.flatnonzero(self._frames[chosen] < SIDE):
            patches[place] = fill(patches[place, :, : self._frames[chosen[place]]])
        return patches[:, None]


def _by_emotion(labels: NDArray[np.int64], manifest: Manifest) -> list[NDArray[np.int64]]:
    """The utterances of each emotion that is there."""
    groups = [np.flatnonzero(labels == number) for number in range(len(manifest.labels))]
    if not any(map(len, groups)):
        raise UserError(
            f"no utterance is labelled {' or '.join(manifest.labels)}",
            where=f"corpus {manifest.corpus}, sessions {', '.join(manifest.sessions)}",
            remedy="name the emotions that it has in corpus.emotions",
        )
    return [group for group in groups if len(group)]
