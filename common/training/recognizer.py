"""The paper's SER network (section 4.3): trained from scratch, tried on whole utterances.

Owns its loss, its falling learning rate and how windows become one answer. Must not know where its patches came from,
real or drawn.
"""

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from common.config.tree import Config, RecognizerConfig
from common.corpora.manifest import Manifest
from common.features.patches import LogMelsOfAll, windows
from common.features.scaling import Scaling
from common.networks import Discriminator
from common.networks.acceleration import Acceleration
from common.seeds import derive_seed
from common.training.adam import Adam
from common.training.augmentation import augment
from common.training.draws import Dealer, Draw, Patches, require_labels
from common.training.phases import Game, Interrupted, Phase, Surroundings, play
from common.training.recording import Metrics

RECOGNIZER = "recognizer"
AT_ONCE = 64
"""Windows in one forward; utterances are packed into it, for most have only a few."""


def train_recognizer(patches: Patches, config: Config, seed: int, around: Surroundings) -> Discriminator:
    """The discriminator's body with one output an emotion, under cross-entropy."""
    settings = config.recognizer
    require_labels(patches, RECOGNIZER)
    fresh = new_recognizer(config, seed=derive_seed(seed, RECOGNIZER, "networks"))
    recognizer = around.acceleration.prepare(fresh)
    acceleration = around.acceleration
    dealer = Dealer(patches, RECOGNIZER, seed, settings.batch, config.network, around.share, acceleration.device)

    def make(draw: Draw) -> Tensor:
        outputs: Tensor = recognizer(augment(draw.patches, draw.chances[0], settings.augmentation))
        return outputs.float()

    def loss(draw: Draw, made: Tensor) -> Metrics:
        right = (made.argmax(dim=1) == draw.labels).float().mean()
        return {"loss": functional.cross_entropy(made, draw.labels), "right": right}

    optimizer = Adam(recognizer.parameters(), settings.learning_rate, config.optimizer)
    phase = Phase("recognizer", optimizer, loss, lambda step: rate_at(step, settings))
    game = Game(RECOGNIZER, {"recognizer": recognizer}, dealer.draw, make, [phase])
    play(game, settings.iterations, around)
    return recognizer


def new_recognizer(config: Config, *, seed: int = 0) -> Discriminator:
    """Untrained, or to be given weights."""
    return Discriminator(config.network, config.network.classes, seed=seed, bands=config.recognizer.bands)


def rate_at(step: int, settings: RecognizerConfig) -> float:
    """The learning rate, which falls by a factor at every so many steps.

    >>> [f"{rate_at(step, RecognizerConfig()):.0e}" for step in (0, 9_999, 10_000, 20_000)]
    ['1e-05', '1e-05', '1e-06', '1e-07']
    """
    return settings.learning_rate * settings.decay_factor ** (step // settings.decay_every)


@torch.no_grad()
def predict(
    recognizer: Discriminator,
    features: LogMelsOfAll,
    manifest: Manifest,
    scaling: Scaling,
    config: Config,
    stop: Callable[[], bool] = lambda: False,
) -> NDArray[np.float64]:
    """Probabilities [utterances, classes] in the manifest's order: each the mean over an utterance's windows."""
    acceleration = Acceleration.from_runtime(config.runtime)
    device = next(recognizer.parameters()).device
    sums = torch.zeros(len(manifest), config.network.classes, dtype=torch.float64)
    counts = torch.zeros(len(manifest), 1, dtype=torch.float64)
    for done, (owners, patches) in enumerate(_packed(features, manifest, scaling, config)):
        if stop():
            raise Interrupted(RECOGNIZER, done)
        with acceleration.autocast():
            outputs = recognizer(patches.to(device))
        sums.index_add_(0, owners, outputs.double().softmax(dim=1).cpu())
        counts.index_add_(0, owners, torch.ones(len(owners), 1, dtype=torch.float64))
    probabilities: NDArray[np.float64] = (sums / counts).numpy()
    return probabilities


def _packed(
    features: LogMelsOfAll, manifest: Manifest, scaling: Scaling, config: Config
) -> Iterator[tuple[Tensor, Tensor]]:
    """All utterances' windows in batches of one size, each window with the number of its utterance."""
    hop, padding = config.recognizer.window_hop, config.features.padding
    every = (
        (number, window)
        for number in range(len(manifest))
        for window in windows(scaling.apply(features[number]), hop, padding)
    )
    while batch := list(islice(every, AT_ONCE)):
        yield torch.tensor([number for number, _ in batch]), torch.stack([window for _, window in batch])
