"""The weights that ship: they load, they can say what speech says, and what they say at random is like speech.

Speech is the built-in corpus's here, which they never saw; bounds are a few times what separates it from the recorded
speech that they were trained on. Networks that were never trained, and noise, stay outside of them.
"""

from dataclasses import dataclass

import pytest
import torch

from common.config import load_config
from common.corpora.builtin import generate
from common.features.cache import features_for
from common.features.patches import PatchSource
from common.settings import OptimizerConfig, RuntimeConfig
from common.training.adam import Adam
from common.training.pretrained import load_pretrained, shipped_weights
from common.training.stages import Pair

PATCHES, SOUGHT = 64, 8


@dataclass(frozen=True)
class Statistics:
    """What patches have in common: each mel band's level and spread, and how alike neighbours are."""

    level: torch.Tensor
    spread: torch.Tensor
    next_frame: float
    fourth_frame: float
    next_band: float

    @classmethod
    def of(cls, patches):
        bands = patches[:, 0]
        over_time, over_bands = bands - bands.mean(2, keepdim=True), bands - bands.mean(1, keepdim=True)

        def alike(values, apart):
            return float((values[..., apart:] * values[..., :-apart]).mean() / values.square().mean())

        return cls(
            bands.mean((0, 2)),
            bands.std((0, 2)),
            alike(over_time, 1),
            alike(over_time, 4),
            alike(over_bands.transpose(1, 2), 1),
        )


def unlike_speech(patches, speech):
    """The statistics in which patches are not like speech."""
    found, wanted = Statistics.of(patches), Statistics.of(speech)
    spreads = found.spread / wanted.spread
    differs = {
        "level": (found.level - wanted.level).abs().mean() > 0.2,
        "spread": not 0.6 < spreads.mean() < 1.7 or spreads.min() < 0.3,
        "next frame": abs(found.next_frame - wanted.next_frame) > 0.25,
        "fourth frame": abs(found.fourth_frame - wanted.fourth_frame) > 0.3,
        "next band": abs(found.next_band - wanted.next_band) > 0.25,
    }
    return {name for name, is_so in differs.items() if is_so}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    manifest = generate(folder, utterances_per_cell=1)
    config = load_config("demo").features
    runtime = RuntimeConfig(cache=str(folder / "cache"), workers=1)
    return manifest, features_for(manifest, config, runtime)


@pytest.fixture(
    scope="module", params=[("demo", 100), pytest.param(("small", 200), marks=pytest.mark.slow)], ids=["demo", "small"]
)
def shipped(request):
    """A configuration, its networks, and the steps that a search among their latents needs."""
    preset, steps = request.param
    config = load_config(preset)
    return (
        config,
        load_pretrained(shipped_weights(preset), config.network, config.features, config.corpus.classes),
        steps,
    )


@pytest.fixture(scope="module")
def speech(shipped, corpus):
    """Patches of speech, scaled as the networks are used to."""
    manifest, features = corpus
    return PatchSource(features, manifest, shipped[1].scaling, seed=0).batch(0, PATCHES).values


def untrained(shipped):
    config, *_ = shipped
    return Pair.fresh(config.network, config.corpus.classes, config.seed).generator


def drawn(generator, config):
    latents = torch.randn(PATCHES, config.network.noise, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        return generator(latents, torch.zeros(PATCHES, config.corpus.classes)).clone()


def said_again(generator, config, speech, steps):
    """The nearest to each patch of speech that a short search among latents finds."""
    generator.requires_grad_(False)
    latents = torch.nn.Parameter(torch.zeros(len(speech), config.network.noise))
    condition = torch.zeros(len(speech), config.corpus.classes)
    adam = Adam([latents], 0.1, OptimizerConfig())
    for _ in range(steps):
        adam.forget_gradients()
        (generator(latents, condition) - speech).abs().mean().backward()
        adam.step()
    with torch.no_grad():
        return generator(latents, condition)


def error(patches, speech):
    return float((patches - speech).abs().mean())


def test_speech_is_said_again_better_than_by_any_constant(shipped, speech):
    config, pretrained, steps = shipped
    sought = speech[:SOUGHT]
    # The median is the number nearest to all of a patch, and the mean picture the same for all of them.
    own_constant = sought.flatten(1).median(dim=1).values[:, None, None, None]
    mean_picture = speech.mean(0, keepdim=True)
    again = error(said_again(pretrained.pair.generator, config, sought, steps), sought)
    assert again < 0.92 * error(own_constant, sought)
    assert again < 0.97 * error(mean_picture, sought)


def test_an_untrained_network_says_nothing_again(shipped, speech):
    sought = speech[:SOUGHT]
    own_constant = sought.flatten(1).median(dim=1).values[:, None, None, None]
    again = said_again(untrained(shipped), shipped[0], sought, shipped[2])
    assert error(again, sought) > error(own_constant, sought)


def test_what_they_draw_has_the_statistics_of_speech(shipped, speech):
    assert unlike_speech(drawn(shipped[1].pair.generator, shipped[0]), speech) == set()


def test_an_untrained_network_draws_nothing_like_speech(shipped, speech):
    assert {"level", "spread"} <= unlike_speech(drawn(untrained(shipped), shipped[0]), speech)


def test_noise_with_the_level_and_spread_of_speech_is_not_like_it(speech):
    wanted = Statistics.of(speech)
    noise = torch.randn(speech.shape, generator=torch.Generator().manual_seed(0))
    noise = wanted.level[:, None] + wanted.spread[:, None] * noise
    assert unlike_speech(noise, speech) == {"next frame", "fourth frame", "next band"}


def test_speech_is_like_other_speech(shipped, corpus, speech):
    manifest, features = corpus
    other = PatchSource(features, manifest, shipped[1].scaling, seed=1).batch(0, PATCHES).values
    assert unlike_speech(other, speech) == set()


def test_they_are_small_enough_to_ship():
    sizes = [(shipped_weights(preset) / "tensors.safetensors").stat().st_size for preset in ("demo", "small")]
    assert sum(sizes) <= 8_000_000
