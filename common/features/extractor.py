"""Waveform to log-mel spectrogram, equal to librosa's and several times faster.

Owns the transform and its filters. Must not know a file, a corpus or a cache.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from common.config.tree import FeatureConfig
from common.errors import UserError

_FRAMES = 256  # a processor's frames in work at once: their spectra stay in its second-level cache
_BLOCKS = 4  # low filters touch few bins, so a product for each quarter of the bands skips most of the zeros


class LogMel:
    """The natural logarithm of mel power; frames are centred and the edges padded with silence.

    >>> LogMel(FeatureConfig())(torch.zeros(16_000)).shape
    torch.Size([128, 63])
    """

    def __init__(self, config: FeatureConfig, device: torch.device | str = "cpu") -> None:
        filters = mel_filters(config)
        if dead := dead_bands(filters):
            raise UserError(
                f"{len(dead)} of {config.mels} mel bands hold no bin of the spectrum",
                where=f"features.fft = {config.fft}, features.mel_scale = {config.mel_scale!r}",
                remedy="use a longer fft or mel_scale 'slaney'",
            )
        self.device = torch.device(device)
        self._hop, self._fft, self._mels, self._floor = config.hop, config.fft, config.mels, config.floor
        before = (config.fft - config.window) // 2
        edges = (before, config.fft - config.window - before)
        self._window = functional.pad(torch.hann_window(config.window), edges).to(self.device)
        processor = self.device.type == "cpu"
        self._frames = _FRAMES if processor else None
        # A trainer may have allowed TF32 in this process, which costs three digits; float64 products are left alone.
        self._precision = torch.float32 if processor else torch.float64
        self._blocks = _cut(torch.from_numpy(filters).to(self.device, self._precision))

    @torch.no_grad()
    def __call__(self, waveform: Tensor) -> Tensor:
        """[samples] or [batch, samples] at 16 kHz to [..., mels, 1 + samples // hop], on this extractor's device."""
        waves = torch.atleast_2d(waveform).to(self.device, torch.float32)
        half = self._fft // 2
        frames = functional.pad(waves, (half, half)).unfold(-1, self._fft, self._hop)
        batch, count, _ = frames.shape
        step = max(1, self._frames // batch) if self._frames else count
        log_mel = torch.empty(batch, self._mels, count, device=self.device)
        for start in range(0, count, step):
            part = slice(start, start + step)
            mel = self._mel_power((frames[:, part] * self._window).flatten(0, 1))
            torch.log(mel.unflatten(1, (batch, -1)).transpose(0, 1), out=log_mel[..., part])
        return log_mel if waveform.ndim > 1 else log_mel[0]

    def _mel_power(self, windowed: Tensor) -> Tensor:
        """[frames, fft] to [mels, frames], nothing below the floor."""
        squares = torch.view_as_real(torch.fft.rfft(windowed)).square_()
        power = (squares[..., 0] + squares[..., 1]).to(self._precision)
        mel = torch.empty(self._mels, len(power), dtype=self._precision, device=self.device)
        for block in self._blocks:
            torch.mm(block.weights, power[:, block.bins].T, out=mel[block.bands])
        return mel.clamp_(min=self._floor).float()


def mel_filters(config: FeatureConfig) -> NDArray[np.float32]:
    """[mels, 1 + fft // 2]: triangles evenly spaced on the mel scale, each of the same area."""
    top = _to_mel(config.sample_rate / 2, config.mel_scale)
    corners = _to_hertz(np.linspace(0, top, config.mels + 2), config.mel_scale)
    bins = np.linspace(0, config.sample_rate / 2, 1 + config.fft // 2)
    distance = corners[:, None] - bins
    width = np.diff(corners)[:, None]
    rising, falling = -distance[:-2] / width[:-1], distance[2:] / width[1:]
    area = (corners[2:] - corners[:-2])[:, None] / 2
    filters: NDArray[np.float32] = (np.maximum(0, np.minimum(rising, falling)) / area).astype(np.float32)
    return filters


def dead_bands(filters: NDArray[np.float32]) -> tuple[int, ...]:
    """Bands without a bin, constant whatever is said: a discriminator would take them for a sign of the real."""
    return tuple(int(band) for band in np.flatnonzero(filters.max(axis=1) == 0))


@dataclass(frozen=True)
class _Block:
    """Neighbouring bands and the bins that they touch."""

    bands: slice
    bins: slice
    weights: Tensor


def _cut(filters: Tensor) -> list[_Block]:
    """The filters as dense blocks along their diagonal."""
    blocks = []
    for bands in torch.arange(len(filters)).chunk(_BLOCKS):
        rows = slice(int(bands[0]), int(bands[-1]) + 1)
        touched = filters[rows].any(dim=0).nonzero()
        bins = slice(int(touched[0]), int(touched[-1]) + 1)
        blocks.append(_Block(rows, bins, filters[rows, bins].contiguous()))
    return blocks


# Slaney's scale is linear to 1 kHz (15 mels) and then gains 27 mels for each factor of 6.4.
_KNEE_HERTZ, _KNEE_MEL, _MELS_AN_E_FOLD = 1000.0, 15.0, 27 / np.log(6.4)


def _to_mel(hertz: float, scale: str) -> float:
    if scale == "htk":
        return float(2595 * np.log10(1 + hertz / 700))
    if hertz < _KNEE_HERTZ:
        return hertz * _KNEE_MEL / _KNEE_HERTZ
    return float(_KNEE_MEL + np.log(hertz / _KNEE_HERTZ) * _MELS_AN_E_FOLD)


def _to_hertz(mel: NDArray[np.float64], scale: str) -> NDArray[np.float64]:
    if scale == "htk":
        return np.asarray(700 * (10 ** (mel / 2595) - 1))
    linear = mel * _KNEE_HERTZ / _KNEE_MEL
    return np.where(mel < _KNEE_MEL, linear, _KNEE_HERTZ * np.exp((mel - _KNEE_MEL) / _MELS_AN_E_FOLD))
