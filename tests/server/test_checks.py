"""Samples that nothing can be learnt from are told, and such as speech leaves are not."""

import pytest
import torch

from common.networks import Generator, release_weights
from common.settings import NetworkConfig
from common.spaces import PATCHES
from common.synthesizers.methods.eskimez import SYNTHESIZER
from server.checks import LEAST, MOST_AT_TOP, SAMPLES, draw, fault_of, statistics_of

CLASSES = 4


@pytest.fixture
def speech():
    """Patches as different from each other as samples of speech are, and as quiet at their bottom."""
    chance = torch.Generator().manual_seed(0)
    tones = torch.rand(CLASSES, SAMPLES, 1, 128, 1, generator=chance)
    grain = torch.rand(CLASSES, SAMPLES, 1, 128, 128, generator=chance)
    return (2 * tones * grain - 1).clamp(min=-1)


def the_same_for_all(patches, dim):
    return patches.narrow(dim, 0, 1).expand_as(patches).clone()


def with_nan(patches):
    patches[1, 5, 0, 3, 7] = float("nan")
    return patches


def with_infinity(patches):
    patches[1, 5, 0, 3, 7] = float("inf")
    return patches


FAULTS = {
    "a NaN": (with_nan, f"1 of {CLASSES * SAMPLES} samples are not finite"),
    "an infinity": (with_infinity, f"1 of {CLASSES * SAMPLES} samples are not finite"),
    "saturated": (lambda patches: (50 * patches).tanh(), "saturated"),
    "constant": (lambda patches: torch.full_like(patches, 0.25), "constant"),
    "a level a sample": (lambda patches: patches.mean((2, 3, 4), keepdim=True).expand_as(patches), "constant"),
    "one sample an emotion": (lambda patches: the_same_for_all(patches, 1), "of an emotion are all alike"),
    "one emotion has one sample": (lambda p: torch.cat((p[:3], the_same_for_all(p[3:], 1))), "all alike"),
    "one emotion": (lambda patches: the_same_for_all(patches, 0), "the same whichever of two emotions"),
    "two emotions are one": (lambda p: torch.cat((p[:3], p[:1])), "the same whichever of two emotions"),
}


@pytest.mark.parametrize(("change", "fault"), FAULTS.values(), ids=FAULTS)
def test_each_fault_is_told(speech, change, fault):
    assert fault in fault_of(change(speech), PATCHES)


HARMLESS = {
    "as it is": lambda patches: patches,
    "faint": lambda patches: 1e-3 * patches,
    "silent for the most part": lambda patches: torch.where(patches > 0.8, patches, -1.0),
    "loud here and there": lambda patches: torch.where(patches > 1 - MOST_AT_TOP, 1.0, patches),
    "emotions hardly differ": lambda p: p[:1] + 1e-3 * torch.arange(CLASSES)[:, None, None, None, None],
    "latents hardly differ": lambda patches: patches[:, :1] + 1e-3 * patches,
}


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_what_can_be_learnt_from_has_no_fault(speech, change):
    assert fault_of(change(speech), PATCHES) == ""


def test_networks_that_nobody_trained_have_no_fault_but_with_one_emotion_or_one_latent(tmp_path):
    network = NetworkConfig(width=1 / 64)
    weights = release_weights(Generator(network))
    assert fault_of(drawn(weights, network), PATCHES) == ""
    first = weights["linears.0.weight"]
    deaf = torch.cat((first[:, : network.noise], torch.zeros_like(first[:, network.noise :])), dim=1)
    assert "whichever of two emotions" in fault_of(drawn(weights | {"linears.0.weight": deaf}, network), PATCHES)
    collapsed = torch.cat((torch.zeros_like(first[:, : network.noise]), first[:, network.noise :]), dim=1)
    assert "all alike" in fault_of(drawn(weights | {"linears.0.weight": collapsed}, network), PATCHES)
    assert "constant" in fault_of(drawn({n: torch.zeros_like(w) for n, w in weights.items()}, network), PATCHES)


def drawn(weights, network, *seed):
    settings = SYNTHESIZER.Settings(network=network)
    sampler = SYNTHESIZER.sampler(weights, settings, PATCHES, CLASSES, torch.device("cpu"))
    return draw(sampler, range(CLASSES), *(seed or ("seed",)))


def test_every_emotion_is_drawn_from_the_same_latents_and_another_seed_draws_others():
    class Latents:
        """Shows the latent as it is, and not the emotion."""

        def sample(self, wanted, stream, latent_scale=1.0):
            return torch.randn(len(wanted), 1, 128, 128, generator=stream)

    one, same, other = (draw(Latents(), range(3), *seed) for seed in (("a", 1), ("a", 1), ("a", 2)))
    assert torch.equal(one, same)
    assert torch.equal(one[0], one[2])
    assert not torch.equal(one, other)
    assert one.shape == (3, SAMPLES, 1, 128, 128)
    assert one.std() > LEAST


def test_a_release_that_knows_one_emotion_is_asked_for_that_one_and_has_no_fault(speech):
    class Spoken:
        """Shows speech of the emotion that is wanted."""

        def sample(self, wanted, stream, latent_scale=1.0):
            assert set(wanted.tolist()) == {2}
            return speech[2]

    drawn = draw(Spoken(), [2], "seed")
    assert drawn.shape == (1, SAMPLES, 1, 128, 128)
    assert fault_of(drawn, PATCHES) == ""
    assert {one.shape[0] for one in statistics_of(drawn, PATCHES).values()} == {1}


def test_statistics_keep_emotions_and_samples_apart(speech):
    for statistic in statistics_of(speech, PATCHES).values():
        assert statistic.shape[:2] == (CLASSES, SAMPLES)
    louder = speech.clone()
    louder[2, 3] += 0.5
    before, after = statistics_of(speech, PATCHES)["colour"], statistics_of(louder, PATCHES)["colour"]
    changed = (before - after).abs().amax(dim=2) > 1e-3
    assert changed.nonzero().tolist() == [[2, 3]]
