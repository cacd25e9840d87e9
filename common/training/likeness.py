"""How far made speech is from real speech of the same emotion, in statistics that hide what is said.

Owns the statistics and the distance. Must not know networks or stages. A discriminator that is still learning emotions
lets a generator drift: each emotion gets a loudness and a colour of its own, far less variety than speech has, and a
rhythm that no speech has. This distance says so from the first step.

There are several, because each is blind to what the others see: samples of the right loudness may still pulse at a
generator's own rate, and a recognizer that is trained on them learns that.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from common.settings import Statistic

BANDS = 16
STRETCHES = 32
"""Of a patch in time, between which a band's loudness may vary."""
RATES, BINS = 16, 4
"""Of modulation, and bins of the Fourier transform in each: all there are, for what is left out fills with stripes."""
RIPPLES = 47
"""Over all mel bands, from the widest: formants first, a high voice's harmonics last."""
SMALLEST = 1e-6
"""Added to squares, for a root has no slope at zero."""
FAINTEST = 1e-4
"""The same for amplitudes, below which a rate or a ripple is not audible."""


def loudness(patches: Tensor) -> Tensor:
    """[batch, 1, mels, frames] -> [batch, 2 * BANDS]: how loud each band is, and how much that varies in time."""
    coarse = functional.adaptive_avg_pool2d(patches, (BANDS, STRETCHES))[:, 0]
    return torch.cat((coarse.mean(dim=2), coarse.std(dim=2)), dim=1)


def colour(patches: Tensor) -> Tensor:
    """[batch, 1, mels, frames] -> [batch, mels]: the mean spectrum, as fine as it is."""
    return patches.mean(dim=3)[:, 0]


def rhythm(patches: Tensor) -> Tensor:
    """[batch, 1, mels, frames] -> [batch, BANDS * RATES]: how strongly each band pulses, slowly and fast."""
    rates = _amplitudes(_centred(patches), dim=2)[:, :, 1 : 1 + RATES * BINS]
    return torch.log1p(rates.unflatten(2, (RATES, BINS)).mean(dim=3)).flatten(1)


def coupling(patches: Tensor) -> Tensor:
    """[batch, 1, mels, frames] -> [batch, BANDS * (BANDS + 1) / 2]: which bands rise and fall together."""
    centred = _centred(patches)
    covariance = centred @ centred.transpose(1, 2) / (centred.shape[2] - 1)
    first, second = torch.triu_indices(BANDS, BANDS, device=patches.device)
    return covariance[:, first, second]


def ripple(patches: Tensor) -> Tensor:
    """[batch, 1, mels, frames] -> [batch, RIPPLES]: how the spectrum of a frame ripples, as formants and pitch do."""
    spectra = patches[:, 0] - patches[:, 0].mean(dim=1, keepdim=True)
    return torch.log1p(_amplitudes(spectra, dim=1)[:, 1 : 1 + RIPPLES]).mean(dim=2)


STATISTICS: dict[Statistic, Callable[[Tensor], Tensor]] = {
    "loudness": loudness,
    "colour": colour,
    "rhythm": rhythm,
    "coupling": coupling,
    "ripple": ripple,
}


def energy_distance(
    real: Tensor, labels: Tensor, made: Tensor, wanted: Tensor, statistics: Sequence[Statistic]
) -> Tensor:
    """Of patches within each emotion, added over statistics (Szekely & Rizzo 2013); zero on average where alike.

    Each statistic counts in units of how far this real speech lies apart in it, whatever its emotion. Unbiased however
    few patches an emotion has in a batch: a patch is never compared with itself.
    """
    other = 1 - torch.eye(len(real), device=real.device)
    across, among_made, among_real = _same(wanted, labels), _same(wanted, wanted) * other, _same(labels, labels) * other
    total = made.new_zeros(())
    for name in statistics:
        known, drawn = STATISTICS[name](real), STATISTICS[name](made)
        known_apart = _distances(known, known)
        apart = 2 * _mean(_distances(drawn, known), across)
        apart = apart - _mean(_distances(drawn, drawn), among_made) - _mean(known_apart, among_real)
        total = total + apart / _mean(known_apart, other).clamp(min=SMALLEST**0.5)
    return total


def _centred(patches: Tensor) -> Tensor:
    """[batch, 1, mels, frames] -> [batch, BANDS, frames]: each band in time, less its mean."""
    bands: Tensor = patches[:, 0].unflatten(1, (BANDS, -1)).mean(dim=2)  # a seventh of what pooling takes
    return bands - bands.mean(dim=2, keepdim=True)


def _amplitudes(signals: Tensor, dim: int) -> Tensor:
    parts = torch.view_as_real(torch.fft.rfft(signals, dim=dim))
    return (parts.square().sum(dim=-1) + FAINTEST).sqrt()


def _distances(first: Tensor, second: Tensor) -> Tensor:
    return ((first[:, None] - second[None]).square().sum(dim=2) + SMALLEST).sqrt()


def _same(first: Tensor, second: Tensor) -> Tensor:
    return (first[:, None] == second[None]).float()


def _mean(values: Tensor, counted: Tensor) -> Tensor:
    """Of those that count; zero where none does."""
    return (values * counted).sum() / counted.sum().clamp(min=1)
