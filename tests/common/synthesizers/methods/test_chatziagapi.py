"""The earlier GAN, held to what its paper says of it."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from common.seeds import torch_stream
from common.settings import EMOTIONS
from common.synthesizers.methods.chatziagapi import (
    AUTOENCODER,
    GAN,
    SYNTHESIZER,
    BaselineSampler,
    Decoder,
    Dropout,
    Encoder,
    Gaussians,
    reseed,
)
from common.training.checkpoint import Snapshots
from common.training.phases import Interrupted


@pytest.fixture
def fit(config, fitting_of):
    def fitted(around, seed=1, config=config):
        settings = SYNTHESIZER.settings_of(config)
        return SYNTHESIZER.fit(fitting_of(SYNTHESIZER, settings, seed=seed, around=around), settings)

    return fitted


def test_the_networks_are_those_of_its_figure_1(config):
    layers = [layer for layer in Decoder(config.network, 100, 0.2).modules() if isinstance(layer, nn.ConvTranspose2d)]
    assert [layer.stride[0] for layer in layers] == [1, 2] * 4
    encoder = Encoder(config.network, 5, 0.2)
    assert sum(isinstance(layer, nn.Conv2d) for layer in encoder.modules()) == 8
    for network in (Decoder(config.network, 100, 0.2), encoder):
        kinds = [type(layer).__name__ for layer in network.body.modules() if not list(layer.children())]
        assert kinds[1:4] == ["BatchNorm2d", "LeakyReLU", "Dropout"]
        assert len(kinds) == 4 * 8
    assert Decoder(config.network, 100, 0.2)(torch.zeros(2, 100)).shape == (2, 1, 128, 128)


def test_its_numbers_are_the_defaults():
    from common.config import ChatziagapiConfig

    settings = ChatziagapiConfig()
    assert (settings.code, settings.dropout) == (100, 0.2)
    assert (settings.autoencoder_learning_rate, settings.learning_rate) == (5e-5, 1e-6)


def test_latents_of_an_emotion_have_the_mean_and_covariance_of_its_codes():
    chance = torch_stream("codes")
    mixing = torch.randn(2, 3, 3, generator=chance)
    labels = torch.arange(2).repeat(20_000)
    codes = torch.einsum("bij,bj->bi", mixing[labels], torch.randn(40_000, 3, generator=chance)) + 5 * labels[:, None]
    drawn = Gaussians.of(codes, labels, 2).at(torch.randn(40_000, 3, generator=chance), labels)
    for emotion in range(2):
        real, made = codes[labels == emotion], drawn[labels == emotion]
        assert made.mean(dim=0) == pytest.approx(real.mean(dim=0), abs=0.06)
        assert made.T.cov().flatten() == pytest.approx(real.T.cov().flatten(), abs=0.2)
    assert (drawn[labels == 0].mean(dim=0) - drawn[labels == 1].mean(dim=0)).abs().min() > 4


def test_of_an_emotion_without_codes_nothing_is_told():
    codes = torch.randn(30, 3, generator=torch_stream("codes"))
    fitted = Gaussians.of(codes, torch.arange(30) % 2, 3)
    assert not fitted.means[2].any()
    assert not fitted.roots[2].any()
    assert torch.equal(fitted.roots[:2], Gaussians.of(codes, torch.arange(30) % 2, 2).roots)


def test_an_emotion_of_one_short_utterance_is_as_varied_as_all_speech_of_the_site():
    codes = torch.randn(30, 3, generator=torch_stream("codes"))
    labels = torch.arange(30) % 2
    codes[labels == 1] = torch.tensor([1.0, 2.0, 3.0])
    fitted = Gaussians.of(codes, labels, 2)
    assert fitted.means[1].tolist() == pytest.approx([1, 2, 3])
    assert (fitted.roots[1] @ fitted.roots[1]).flatten() == pytest.approx(codes.T.cov().flatten(), abs=1e-5)
    assert torch.equal(fitted.roots[0], Gaussians.of(codes[labels == 0], torch.zeros(15), 1).roots[0])


def test_real_and_fake_are_shown_in_batches_of_their_own(fit, around, monkeypatch):
    shown = []
    forward = Encoder.forward

    def listening(self, patches):
        shown.append(len(patches))
        return forward(self, patches)

    monkeypatch.setattr(Encoder, "forward", listening)
    fit(around)
    assert [size for size in shown if size != 64] == [4] * (3 + 3 * 3)  # autoencoder; then real, fake, fake


def test_stages_follow_each_other_and_the_autoencoder_learns(fit, config, around, listener):
    able = config.chatziagapi.model_copy(
        update={"autoencoder_iterations": 15, "autoencoder_learning_rate": 0.05, "iterations": 1}
    )
    heard = listener()
    chosen = config.model_copy(update={"chatziagapi": able})
    fit(replace(around, reporter=heard, report_every=1), config=chosen)
    assert [stage for stage, step, _ in heard.records if step == 1] == [AUTOENCODER, GAN]
    losses = [row["autoencoder/loss"] for stage, _, row in heard.records if stage == AUTOENCODER]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("steps", [2, 4])
def test_what_is_stopped_in_either_stage_ends_with_the_same_weights(fit, around, tmp_path, steps):
    whole = fit(around)
    taken = iter(range(100))
    snapshots = Snapshots(tmp_path, {}, EMOTIONS, {})
    cut = replace(around, snapshots=snapshots, stop=lambda: next(taken) == steps)
    with pytest.raises(Interrupted):
        fit(cut)
    resumed = fit(replace(around, snapshots=snapshots))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    other = fit(around, seed=2)
    assert not all(torch.equal(whole[name], other[name]) for name in whole)


def test_dropout_drops_its_share_anew_at_each_step_and_nothing_when_sampling():
    layer, ones = Dropout(0.2), torch.ones(100, 100)
    device = torch.device("cpu")
    reseed((layer,), device, "stage", 1)
    first = layer(ones)
    assert (first == 0).float().mean() == pytest.approx(0.2, abs=0.02)
    assert first.mean() == pytest.approx(1, abs=0.02)
    reseed((layer,), device, "stage", 2)
    assert not torch.equal(layer(ones), first)
    reseed((layer,), device, "stage", 1)
    assert torch.equal(layer(ones), first)
    assert layer.eval()(ones) is ones


def test_the_released_gaussians_tell_emotions_apart(fit, config, around):
    weights = fit(around)
    weights["means"] = torch.eye(4) * 3
    sampler = BaselineSampler(weights, config.network)
    angry, sad = (sampler.sample(torch.full((2,), emotion), torch_stream("a")) for emotion in (1, 2))
    assert not torch.equal(angry, sad)
