"""Small vectors of four emotions, and synthesizers whose honesty is known."""

import numpy as np
import pytest
import torch

from common.audit.density import Utterances
from common.audit.twins import Audit
from common.audit.verdict import Limits
from common.augmentation.vectors import METHODS
from common.seeds import numpy_stream

NAMES = "angry", "happy", "neutral", "sad"
MEANS = 1.5 * np.random.default_rng(5).normal(size=(len(NAMES), 16))
DEVIATION = 1.3


def drawn(labels, stream):
    """Vectors of the law that all utterances here are of."""
    return MEANS[labels] + DEVIATION * stream.normal(size=(len(labels), MEANS.shape[1]))


class Draws:
    """A sampler out of a function of labels and a seed."""

    def __init__(self, make):
        self.make = make

    def sample(self, wanted, stream, latent_scale=1.0):
        seed = int(torch.randint(2**31, (), generator=stream))
        return torch.as_tensor(self.make(wanted.numpy(), seed))


def blind(utterances):
    """Knows the law and no utterance."""
    return lambda number, chosen: Draws(lambda wanted, seed: drawn(wanted, numpy_stream(seed)))


def augmenting(name):
    """Copying, noise or SMOTE of a twin's members, as if it were a synthesizer."""

    def of(utterances):
        points, labels = utterances.points, utterances.labels
        return lambda number, chosen: Draws(
            lambda wanted, seed: METHODS[name](points[chosen], labels[chosen], wanted, NAMES, seed=seed)
        )

    return of


@pytest.fixture(scope="session")
def utterances_of():
    def make(count=68, speakers=68, seed=1):
        labels = np.arange(count) % len(NAMES)
        return Utterances.of_vectors(drawn(labels, numpy_stream(seed, "real")), labels, np.arange(count) % speakers)

    return make


@pytest.fixture(scope="session")
def audited(utterances_of):
    """The verdict on a synthesizer."""

    def audit(synthesizer, count=68, *, speakers=68, seed=1, **limits):
        utterances = utterances_of(count, speakers, seed)
        limits = Limits(**{"samples": 1024, **limits})
        return Audit(utterances, lambda values: values.numpy(), limits, seed).run(synthesizer(utterances))

    return audit
