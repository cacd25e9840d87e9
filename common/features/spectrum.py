"""The mean spectrum of a session's speech, and how it is made that of public speech.

Owns what a session's recordings have in common (microphone, room, voices) and the offset that takes it away, band by
band. Must not know labels: unlabelled speech is enough. Nothing of it leaves a site.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from common.errors import UserError
from common.features.patches import LogMelsOfAll
from common.features.public import public_spectrum
from common.settings import FeatureConfig

HEARD = 20 * np.log(10) / 10
"""How far a frame's mean level may lie below an utterance's loudest frame, in nats of power: 20 dB; silence is no
speech. Of the mean over bands, for no microphone changes which frames those are."""

Spectrum = NDArray[np.float32]


def mean_spectrum(log_mels: Iterable[NDArray[np.float16]]) -> Spectrum:
    """[mels]: of all frames in which something is heard."""
    total, frames = np.zeros(1), 0
    for log_mel in log_mels:
        levels = np.asarray(log_mel, np.float32)
        level = levels.mean(axis=0)
        heard = levels[:, level > level.max() - HEARD]
        total, frames = total + heard.sum(axis=1, dtype=np.float64), frames + heard.shape[1]
    if not frames:
        raise UserError("no speech to take a mean spectrum of")
    return np.asarray(total / frames, np.float32)


def offset_of(session: Iterable[NDArray[np.float16]], config: FeatureConfig) -> Spectrum:
    """[mels]: what is added to each frame of a session."""
    return public_spectrum(config) - mean_spectrum(session)


def with_offset(log_mel: NDArray[np.float16], offset: Spectrum) -> Tensor:
    """An utterance [mels, frames] with what is added to its bands."""
    return torch.from_numpy(np.asarray(log_mel, np.float32) + offset[:, None])


def offsets_of(log_mels: LogMelsOfAll, sessions: Sequence[str], config: FeatureConfig) -> Spectrum:
    """[utterances, mels]: of utterances, each by its session."""
    names = np.array(sessions)
    offsets = {
        name: offset_of((log_mels[int(n)] for n in np.flatnonzero(names == name)), config) for name in np.unique(names)
    }
    return np.stack([offsets[name] for name in names])
