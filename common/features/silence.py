"""Where in a recording somebody speaks, and recordings in which nobody can be heard.

Owns the trimming of silence at both ends and the verdicts too short, silent and clipped. Must not know what is heard.

Corpora differ in the silence that they leave around an utterance: RAVDESS a second at both ends, EMO-DB hardly any.
Left there, pauses become a mark of the corpus in every mean and percentile.
"""

import numpy as np
from numpy.typing import NDArray

from common.space import SAMPLE_RATE

FRAME, HOP = 400, 160
MARGIN = 800
"""Samples that stay before and after the speech: 50 ms, for a soft onset."""
LEAST = 0.1
"""Seconds of speech below which nothing can be said about it."""
FAINTEST = 1e-3
"""Of full scale (-60 dB): a recording that never gets louder is silent."""
AT_THE_TOP, MOST_AT_TOP = 0.999, 0.01
"""Samples so near to full scale count as cut off, and more than this share of them is no recording of a voice."""
FLOOR = 1e-12


def trimmed(waveform: NDArray[np.float32], decibels: float) -> NDArray[np.float32]:
    """Without what lies at both ends and is more than so many decibels below the loudest frame; 0 trims nothing."""
    if not decibels or len(waveform) < FRAME:
        return waveform
    frames = np.lib.stride_tricks.sliding_window_view(waveform, FRAME)[::HOP]
    level = 10 * np.log10(np.einsum("ij,ij->i", frames, frames) / FRAME + FLOOR)
    heard = np.flatnonzero(level > level.max() - decibels)
    first, last = heard[0] * HOP - MARGIN, heard[-1] * HOP + FRAME + MARGIN
    return waveform[max(first, 0) : last]


def fault_of(waveform: NDArray[np.float32]) -> str:
    """Why nothing can be heard in a recording that was trimmed, or nothing."""
    loudness = np.abs(waveform)
    if not len(waveform) or loudness.max() < FAINTEST:
        return "silent: it never rises above -60 dB of full scale"
    if len(waveform) < LEAST * SAMPLE_RATE:
        return f"too short: {len(waveform) / SAMPLE_RATE:.3f} s of speech, {LEAST} s are needed"
    share = float((loudness >= AT_THE_TOP).mean())
    if share > MOST_AT_TOP:
        return f"clipped: {share:.0%} of its samples lie at full scale"
    return ""
