"""A few samples to listen to, small enough to stand in the page.

Owns which are heard and in what form. Must not know how a spectrogram was made.
"""

import base64
import io
from dataclasses import dataclass

import numpy as np

from common.space import SAMPLE_RATE
from simulations.comparison.modes import REAL
from simulations.report.evidence import Evidence

PREFERRED = ("federated", "centralized")
FORMAT, CODING = "MP3", "MPEG_LAYER_III"
"""12 kB a sample, where FLAC has 44, and every browser plays it."""


@dataclass(frozen=True)
class Sound:
    """One sample as the source of an audio element."""

    mode: str
    emotion: str
    source: str


def heard_mode(evidence: Evidence) -> str | None:
    """The synthetic mode that is heard: the federated one, where there is one."""
    synthetic = [name for name in evidence.patches if name != REAL]
    return next((name for name in (*PREFERRED, *synthetic) if name in synthetic), None)


def sounds(evidence: Evidence) -> dict[str, list[Sound]]:
    """By mode the first sample of each emotion, real and synthetic, through the same guess of a phase."""
    import soundfile
    import torch

    from common.features.inversion import Inversion

    wanted = [name for name in (REAL, heard_mode(evidence)) if name is not None and name in evidence.patches]
    invert = Inversion(evidence.features) if wanted else None
    found: dict[str, list[Sound]] = {}
    for name in wanted:
        for emotion in evidence.labels:
            patches = evidence.patches[name].get(emotion)
            if invert is None or patches is None or not len(patches):
                continue
            log_mel = evidence.scaling.invert(torch.from_numpy(patches[0].astype(np.float32)))
            content = io.BytesIO()
            soundfile.write(content, invert(log_mel).numpy(), SAMPLE_RATE, format=FORMAT, subtype=CODING)
            source = f"data:audio/mpeg;base64,{base64.b64encode(content.getvalue()).decode()}"
            found.setdefault(name, []).append(Sound(name, emotion, source))
    return found
