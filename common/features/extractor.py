"""Waveform to log-mel spectrogram, equal to librosa's and several times faster.

Owns the transform and its filters. Must not know a file, a corpus or a cache.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from common.errors import UserError
from common.settings import FeatureConfig
from common.space import SAMPLE_RATE, SIDE

_MANY = (64, 32, 32)  # bands in one product where frames are many: low bands touch few bins, so most zeros are skipped
_FEW = (SIDE,)
_PROCESSOR_FRAMES, _GPU_FRAMES = 1024, 65_536  # in work at once: what a cache likes, and what keeps a GPU busy
_TRUSTED = 1.5e-8  # of a frame's loudest band: down to there single precision stays within 7e-4 in the log


class LogMel:
    """The natural logarithm of mel power; frames are centred and the edges padded with silence.

    >>> LogMel(FeatureConfig())(torch.zeros(16_000)).shape
    torch.Size([128, 63])
    """

    def __init__(self, config: FeatureConfig, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self._config = config
        processor = self.device.type == "cpu"
        self._step = _PROCESSOR_FRAMES if processor else _GPU_FRAMES
        self._silence = torch.zeros(config.fft // 2, device=self.device)
        # A trainer may have allowed TF32, which spoils single precision on a GPU and leaves double alone.
        self._quick = _MelPower(config, self.device, torch.float32, _MANY) if processor else None
        self._exact = _MelPower(config, self.device, torch.float64, _FEW)

    @torch.no_grad()
    def __call__(self, waveform: Tensor) -> Tensor:
        """[samples] or [batch, samples] at 16 kHz to [..., mels, 1 + samples // hop], on this extractor's device."""
        if waveform.ndim > 1:
            return torch.stack([self(one) for one in waveform])
        padded = torch.cat((self._silence, waveform.to(self.device, torch.float32), self._silence))
        frames = padded.unfold(0, self._config.fft, self._config.hop)
        if len(frames) <= self._step:
            return self._mel_power(frames).log_()
        return torch.cat([self._mel_power(some).log_() for some in frames.split(self._step)], dim=1)

    def _mel_power(self, frames: Tensor) -> Tensor:
        """[frames, fft] to [mels, frames], as good as double precision and mostly at the price of single."""
        floor = self._config.floor
        if self._quick is None:
            return self._exact(frames).float().clamp_(min=floor)
        mel = self._quick(frames).clamp_(min=floor)
        # Rounding is white noise under the whole spectrum: it matters where a band is far weaker than its frame.
        doubtful = (mel.amin(dim=0) < mel.amax(dim=0).mul_(_TRUSTED)).nonzero().squeeze(1)
        if len(doubtful):
            mel[:, doubtful] = self._exact(frames[doubtful]).float().clamp_(min=floor)
        return mel


class _MelPower:
    """Frames to mel power in one precision."""

    def __init__(
        self, config: FeatureConfig, device: torch.device, precision: torch.dtype, blocks: tuple[int, ...]
    ) -> None:
        filters = mel_filters(config)
        if dead := dead_bands(filters):
            raise UserError(
                f"{len(dead)} of {SIDE} mel bands hold no bin of the spectrum",
                where=f"features.fft = {config.fft}",
                remedy="use a longer fft",
            )
        before = (config.fft - config.window) // 2
        edges = (before, config.fft - config.window - before)
        window = torch.hann_window(config.window, dtype=torch.float64)
        self._window = functional.pad(window, edges).to(device, precision)
        self._blocks = _cut(torch.from_numpy(filters).to(device, precision), blocks)

    def __call__(self, frames: Tensor) -> Tensor:
        """[frames, fft] to [mels, frames]."""
        squares = torch.view_as_real(torch.fft.rfft(frames * self._window)).square_()
        power = (squares[..., 0] + squares[..., 1]).T
        mel = power.new_empty(SIDE, len(frames))
        for block in self._blocks:
            torch.mm(block.weights, power[block.bins], out=mel[block.bands])
        return mel


@dataclass(frozen=True)
class _Block:
    """Neighbouring bands and the bins that they touch."""

    bands: slice
    bins: slice
    weights: Tensor


def _cut(filters: Tensor, blocks: tuple[int, ...]) -> list[_Block]:
    """The filters as dense blocks along their diagonal, of so many bands each."""
    cut = []
    for numbers in torch.arange(len(filters)).split(blocks):
        bands = slice(int(numbers[0]), int(numbers[-1]) + 1)
        touched = filters[bands].any(dim=0).nonzero()
        bins = slice(int(touched[0]), int(touched[-1]) + 1)
        cut.append(_Block(bands, bins, filters[bands, bins].contiguous()))
    return cut


def mel_filters(config: FeatureConfig) -> NDArray[np.float32]:
    """[mels, 1 + fft // 2]: triangles evenly spaced on the mel scale, each of the same area."""
    top = _to_mel(SAMPLE_RATE / 2)
    corners = _to_hertz(np.linspace(0, top, SIDE + 2))
    bins = np.linspace(0, SAMPLE_RATE / 2, 1 + config.fft // 2)
    distance = corners[:, None] - bins
    width = np.diff(corners)[:, None]
    rising, falling = -distance[:-2] / width[:-1], distance[2:] / width[1:]
    area = (corners[2:] - corners[:-2])[:, None] / 2
    filters: NDArray[np.float32] = (np.maximum(0, np.minimum(rising, falling)) / area).astype(np.float32)
    return filters


def dead_bands(filters: NDArray[np.float32]) -> tuple[int, ...]:
    """Bands without a bin, constant whatever is said: a discriminator would take them for a sign of the real."""
    return tuple(int(band) for band in np.flatnonzero(filters.max(axis=1) == 0))


# Slaney's scale, for HTK's leaves one of the bands without a bin, which would mark a fake.
# It is linear to 1 kHz (15 mels) and then gains 27 mels for each factor of 6.4.
_KNEE_HERTZ, _KNEE_MEL, _MELS_AN_E_FOLD = 1000.0, 15.0, 27 / np.log(6.4)


def _to_mel(hertz: float) -> float:
    if hertz < _KNEE_HERTZ:
        return hertz * _KNEE_MEL / _KNEE_HERTZ
    return float(_KNEE_MEL + np.log(hertz / _KNEE_HERTZ) * _MELS_AN_E_FOLD)


def _to_hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = mel * _KNEE_HERTZ / _KNEE_MEL
    return np.where(mel < _KNEE_MEL, linear, _KNEE_HERTZ * np.exp((mel - _KNEE_MEL) / _MELS_AN_E_FOLD))
