"""What shapes the excitation: a cascade of resonances that moves from step to step.

Owns time-varying filtering. Must not know what excites it, nor which vowel a resonance belongs to.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from common.corpora.voice.source import Signal
from common.space import SAMPLE_RATE

STEP = 128  # samples between two settings of the tract: 8 ms
_BLOCK = 512  # a step's two hops of excitation and the ringing that follows them


def resonate(excitation: Signal, centres: Signal, widths: Signal) -> Signal:
    """Pass `excitation` [steps * STEP] through resonances in hertz [steps, resonances], of unit gain at zero hertz.

    Every step filters two hops of sound, faded in and out, so that neighbours cross-fade; all of them at once.
    """
    steps = len(centres)
    hops = np.concatenate([np.zeros(STEP), excitation]).reshape(steps + 1, STEP)
    fade = 0.5 - 0.5 * np.cos(np.pi * (np.arange(2 * STEP) + 0.5) / STEP)
    blocks = np.concatenate([hops[:-1], hops[1:]], axis=1) * fade
    heard = blocks.any(axis=1)  # pauses, and for the hiss nearly everything, cost nothing
    spectra = fft.rfft(blocks[heard].astype(np.float32), _BLOCK, axis=1)
    rung = np.zeros((steps, _BLOCK))
    rung[heard] = fft.irfft(spectra * _response(centres[heard], widths[heard]), _BLOCK, axis=1)
    return _overlap_add(rung)[STEP : STEP + len(excitation)]


def _response(centres: Signal, widths: Signal) -> NDArray[np.complex64]:
    """Gain at every frequency of a block; a product with few powers costs less than a transform of mostly zeros."""
    polynomial = _denominator(centres, widths)
    turns = np.outer(np.arange(polynomial.shape[1]), np.arange(_BLOCK // 2 + 1)) / _BLOCK
    values = polynomial @ np.exp(-2j * np.pi * turns)
    strength = polynomial.sum(axis=1, keepdims=True) / (values.real**2 + values.imag**2)
    response: NDArray[np.complex64] = (values.conj() * strength).astype(np.complex64)
    return response


def _denominator(centres: Signal, widths: Signal) -> Signal:
    """Coefficients [steps, 2 * resonances + 1] of the all-pole cascade."""
    radius = np.exp(-np.pi * widths / SAMPLE_RATE)
    middle = -2 * radius * np.cos(2 * np.pi * centres / SAMPLE_RATE)
    product = np.ones((len(centres), 1))
    for resonance in range(centres.shape[1]):
        grown = np.pad(product, ((0, 0), (0, 2)))
        grown[:, 1:-1] += middle[:, resonance, None] * product
        grown[:, 2:] += radius[:, resonance, None] ** 2 * product
        product = grown
    return product


def _overlap_add(blocks: Signal) -> Signal:
    """Sum of blocks that start one hop apart; a column of hops at a time."""
    steps, length = blocks.shape
    columns = -(-length // STEP)
    hops = np.pad(blocks, ((0, 0), (0, columns * STEP - length))).reshape(steps, columns, STEP)
    total = np.zeros((steps + columns, STEP))
    for column in range(columns):
        total[column : column + steps] += hops[:, column]
    return total.ravel()
