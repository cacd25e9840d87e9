"""ADAN and WADAN, held to what their paper says and means."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from common.networks.perceptron import Perceptron
from common.seeds import torch_stream
from common.settings import EMOTIONS, OptimizerConfig
from common.spaces import Vectors
from common.synthesizers.methods import adan, wadan
from common.synthesizers.methods.adan import Codes, of_two, taken_for_real
from common.training.adam import Adam
from common.training.checkpoint import Snapshots
from common.training.phases import Interrupted


@pytest.fixture
def fit(config, fitting_of):
    def fitted(around, method=adan.SYNTHESIZER, **changes):
        own = getattr(config, method.name).model_copy(update=changes)
        settings = method.settings_of(config.model_copy(update={method.name: own}))
        return method.fit(fitting_of(method, settings, Vectors, around=around), settings)

    return fitted


def test_the_networks_are_those_of_section_three():
    networks = adan.Networks.fresh(4368, 7, adan.AdanConfig())
    sizes = {
        name: [layer.weight.shape[1] for layer in network.layers] + [network.layers[-1].weight.shape[0]]
        for name, network in vars(networks).items()
    }
    assert sizes == {
        "encoder": [4368, 800, 800, 100],
        "decoder": [100, 800, 800, 4368],
        "classifier": [100, 100, 100, 7],
        "generator": [107, 100, 100, 100],
        "discriminator": [100, 100, 100, 1],
    }


def test_the_papers_numbers_are_the_defaults_and_the_game_is_long_enough():
    own = wadan.WadanConfig()
    assert (own.penalty, own.power, own.batch, own.classification) == (10, 5, 128, 1)
    assert min(own.iterations, adan.AdanConfig().iterations) >= 3600


def test_the_order_is_that_of_the_appendix_and_the_autoencoder_moves_in_every_so_many_steps(fit, around, listener):
    heard = listener()
    fit(replace(around, reporter=heard, report_every=1), iterations=5, autoencoder_every=2)
    moved = [list(dict.fromkeys(name.split("/")[0] for name in metrics)) for _, _, metrics in heard.records]
    small = ["discriminator", "generator"]
    every = ["classifier", "discriminator", "autoencoder", "generator"]
    assert moved == [every, small, every, small, every]


def test_codes_are_the_encoders_until_it_moves_and_hold_no_gradient():
    encoder, rows = Perceptron((3, 2), seed=1), torch.randn(6, 3, generator=torch_stream("rows"))
    codes, numbers = Codes(encoder, rows), torch.tensor([4, 0])
    first = codes.of(numbers)
    assert torch.equal(first, encoder(rows)[numbers])
    assert not first.requires_grad
    with torch.no_grad():
        encoder.layers[0].bias.add_(1)
    assert torch.equal(codes.of(numbers), first)
    codes.forget()
    assert torch.equal(codes.of(numbers), encoder(rows)[numbers])


def test_noise_over_codes_is_in_their_own_deviation():
    seen = []

    class Listening(Perceptron):
        def forward(self, rows):
            seen.append(rows)
            return super().forward(rows)

    rows = 5 * torch.randn(200, 3, generator=torch_stream("rows"))
    codes = Codes(lambda given: given, rows)
    assert codes.deviation.item() == pytest.approx(5, rel=0.1)
    loss, wish = adan._losses(adan.AdanConfig(instance_noise=2.0))(Listening((3, 1)), codes)
    noise = {name: torch.ones(200, 3) for name in ("on real", "on fake", "on believed")}
    loss(noise, rows, rows)
    wish(noise, rows)
    assert len(seen) == 3
    for shown in seen:
        torch.testing.assert_close(shown - rows, (2 * codes.deviation).expand(200, 3))


@pytest.mark.parametrize("method", [adan.SYNTHESIZER, wadan.SYNTHESIZER], ids=lambda one: one.name)
def test_what_is_stopped_between_two_moves_of_the_autoencoder_ends_with_the_same_weights(fit, around, tmp_path, method):
    steps = {"iterations": 7, "autoencoder_every": 4}
    whole, taken = fit(around, method, **steps), iter(range(100))
    snapshots = Snapshots(tmp_path, {}, EMOTIONS, {})
    with pytest.raises(Interrupted):
        fit(replace(around, snapshots=snapshots, stop=lambda: next(taken) == 2), method, **steps)
    resumed = fit(replace(around, snapshots=snapshots), method, **steps)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_a_discriminator_says_one_of_the_first_and_zero_of_the_second():
    sure = torch.full((4, 1), 9.0)
    assert of_two(sure, -sure) < 0.01 < 10 < of_two(-sure, sure)
    torch.testing.assert_close(
        of_two(sure, sure),
        functional.binary_cross_entropy_with_logits(sure, torch.ones(4, 1))
        + functional.binary_cross_entropy_with_logits(sure, torch.zeros(4, 1)),
    )


def test_both_forms_of_the_generators_loss_fall_as_it_is_believed_and_only_one_has_a_slope_where_it_is_not():
    for saturating in (True, False):
        doubted = torch.full((4, 1), -9.0, requires_grad=True)
        loss = taken_for_real(doubted, saturating=saturating)
        loss.backward()
        assert taken_for_real(doubted + 1, saturating=saturating) < loss
        assert (doubted.grad.abs().max() < 1e-3) == saturating


class TestWadansSigns:
    """The critic puts codes of the real low, and a step of the generator lowers what it says of the made."""

    @pytest.fixture
    def after_fifty_steps(self):
        def trained(turned=False):
            real = torch.randn(64, 3, generator=torch_stream("real")) + 2
            made = torch.randn(64, 3, generator=torch_stream("made"))
            critic = Perceptron((3, 16, 16, 1), seed=1)
            loss, wish = wadan.losses(wadan.WadanConfig())(critic, None)
            draw, adam = {"mixture": torch.full((64, 1), 0.5)}, Adam(critic.parameters(), 5e-3, OptimizerConfig())
            for _ in range(50):
                adam.forget_gradients()
                # A copy that puts D(real) high in (17) swaps the two.
                (loss(draw, made, real) if turned else loss(draw, real, made)).backward()
                adam.step()
            return critic, wish, real, made

        return trained

    def test_as_meant(self, after_fifty_steps):
        critic, wish, real, made = after_fifty_steps()
        assert critic(real).mean() < critic(made).mean()
        moving = made.clone().requires_grad_()
        wish({}, moving).backward()
        stepped = made - 50 * moving.grad
        assert critic(stepped).mean() < critic(made).mean()
        assert (stepped - real).mean(dim=0).norm() < (made - real).mean(dim=0).norm()

    def test_turned_in_one_place_it_runs_away(self, after_fifty_steps):
        critic, wish, real, made = after_fifty_steps(turned=True)
        assert critic(real).mean() > critic(made).mean()
        moving = made.clone().requires_grad_()
        wish({}, moving).backward()
        stepped = made - 50 * moving.grad
        assert (stepped - real).mean(dim=0).norm() > (made - real).mean(dim=0).norm()
