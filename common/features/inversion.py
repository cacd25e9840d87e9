"""Log-mel spectrogram to waveform, so that a generator can be listened to.

Owns the way back from `extractor`: mel bands to a spectrum, and a phase for it. Must not know where a spectrogram
comes from, nor in what file the sound ends.
"""

import torch
from torch import Tensor
from torchaudio.transforms import GriffinLim, InverseMelScale

from common.settings import FeatureConfig
from common.space import SAMPLE_RATE, SIDE
from common.threads import one_thread

ITERATIONS = 64
"""Of Griffin and Lim: twice as many take a fifth off the error on speech, for twice the time."""


class Inversion:
    """A waveform whose log-mel is close to the one that is given; the phase is a guess, as mels hold none.

    >>> Inversion(FeatureConfig())(torch.full((128, 63), -16.0)).shape
    torch.Size([15872])
    """

    def __init__(self, config: FeatureConfig) -> None:
        bins = 1 + config.fft // 2
        # Low bands share their bins, so the filters lack full rank, and the default driver refuses them.
        self._spectrum = InverseMelScale(bins, SIDE, SAMPLE_RATE, norm="slaney", mel_scale="slaney", driver="gelsd")
        # The phase starts at zero and not at random: the same picture sounds the same.
        self._phase = GriffinLim(config.fft, ITERATIONS, config.window, config.hop, power=2.0, rand_init=False)

    @torch.no_grad()
    def __call__(self, log_mel: Tensor) -> Tensor:
        """[mels, frames] to [(frames - 1) * hop] at 16 kHz, in [-1, 1]: softer where it would be cut off."""
        with one_thread():  # its transforms are so small that threads spend their time waiting for each other
            waveform: Tensor = self._phase(self._spectrum(log_mel.float().exp()))
        return waveform / waveform.abs().max().clamp(min=1)
