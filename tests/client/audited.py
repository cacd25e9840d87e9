"""A synthesizer that copies or knows nothing, at a site that audits it: for tests of audits and of the inbox."""

import torch

from client.activity import TUNINGS
from client.ledger import entries
from client.tuning import TuningFolder
from common.settings import NetworkConfig, Section
from common.spaces import Patches
from common.synthesizers import Cost, Synthesizer

LONG = 250.0
KEPT = 128
LIMITS = "[audit]\ntwins = 4\nsamples = 256\nspeakers = 1\nauc = 0.85\nflagged = 1e-9\nepsilon = 60.0\n"
"""Of so few recordings of noise, by so few twins, that only what copies them is refused."""


class TinySettings(Section):
    """One number."""

    network: NetworkConfig = NetworkConfig(width=1 / 64)


class Copies:
    """Hands out what it was given; of an emotion the one that it has."""

    def __init__(self, weights):
        self.patches, self.labels = weights["patches"].float(), weights["labels"].long()

    def sample(self, wanted, stream, latent_scale=1.0):
        chosen = [torch.multinomial((self.labels == label).float(), 1, generator=stream) for label in wanted]
        return self.patches[torch.cat(chosen)]


class Noise:
    """Knows nothing of what it was given."""

    def __init__(self, weights):
        pass

    def sample(self, wanted, stream, latent_scale=1.0):
        return torch.rand(len(wanted), 1, 128, 128, generator=stream) * 2 - 1


class Decodes(Noise):
    """Says how its samples follow from latents, and still knows nothing."""

    latent = 2

    def made(self, latents, wanted):
        return latents.mean(dim=1)[:, None, None, None].expand(-1, 1, 128, 128)


def _read(fitting, settings):
    batch = fitting.examples(True).batch(0, KEPT, "all")
    return {"patches": batch.values.half().float(), "labels": batch.labels.float()}


def method(sampler):
    return Synthesizer(
        name="tiny",
        paper="none",
        about="Some patches.",
        released="patches",
        Settings=TinySettings,
        spaces=frozenset({Patches}),
        cost=lambda settings, space, classes: Cost(1, 0),
        fit=_read,
        shapes=lambda settings, space, classes: {"patches": (KEPT, 1, 128, 128), "labels": (KEPT,)},
        sampler=lambda weights, *rest: sampler(weights),
    )


def outcomes(site):
    return [entry.outcome for entry in entries(site.ledger)]


def folder_of(site):
    (path,) = (site.state / TUNINGS).iterdir()
    return TuningFolder(path)
