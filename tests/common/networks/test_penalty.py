"""The analytic gradient penalty against the textbook's, and the signs of the Wasserstein divergence."""

import pytest
import torch

from common.networks import Acceleration, Discriminator, prepare, scores_and_penalty
from common.networks.penalty import wasserstein_divergence
from common.networks.perceptron import Perceptron
from common.seeds import torch_stream
from common.settings import NetworkConfig, OptimizerConfig, RuntimeConfig
from common.training.adam import Adam


def textbook_penalty(critic, interpolates):
    """By differentiating twice."""
    patches = interpolates.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic.plainly(patches).sum(), patches, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def critic_penalty(critic, interpolates):
    """The penalty alone."""
    return scores_and_penalty(critic, torch.zeros(1, 1, 128, 128), interpolates)[1]


@pytest.mark.parametrize("width", [1 / 64, 1 / 16])
def test_the_adjoint_gives_autograds_penalty_and_gradients(width):
    critic = prepare(Discriminator(NetworkConfig(width=width), 1), torch.device("cpu"))
    interpolates = torch.randn(3, 1, 128, 128)
    results = []
    for penalty_of in (textbook_penalty, critic_penalty):
        critic.zero_grad()
        penalty = penalty_of(critic, interpolates)
        penalty.backward()
        weights = [parameter.grad for name, parameter in critic.named_parameters() if name.endswith("weight")]
        results.append([penalty.detach(), *weights])
    for textbook, analytic in zip(*results, strict=True):
        assert (textbook - analytic).norm() <= 1e-4 * textbook.norm()


def test_scores_and_penalty_together_are_what_they_are_apart():
    critic = Discriminator(NetworkConfig(width=1 / 64), 1)
    patches, interpolates = torch.randn(4, 1, 128, 128), torch.randn(2, 1, 128, 128)
    results = []
    for together in (True, False):
        critic.zero_grad()
        if together:
            scores, penalty = scores_and_penalty(critic, patches, interpolates)
        else:
            scores, penalty = critic(patches), critic_penalty(critic, interpolates)
        (10 * penalty + (scores * torch.tensor([[1.0], [-2], [3], [-4]])).sum()).backward()
        results.append([scores.detach(), penalty.detach(), *(one.grad for one in critic.parameters())])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_the_penalty_in_bf16_is_near_that_in_fp32_and_leaves_gradients_in_fp32():
    critic = Discriminator(NetworkConfig(width=1 / 16), 1)
    patches, interpolates = torch.randn(4, 1, 128, 128), torch.randn(4, 1, 128, 128)
    results = []
    for precision in ("fp32", "bf16"):
        critic.zero_grad()
        with Acceleration.of(RuntimeConfig(device="cpu", precision=precision)).autocast():
            scores, penalty = scores_and_penalty(critic, patches, interpolates)
        penalty.backward()
        gradients = [one.grad for name, one in critic.named_parameters() if name.endswith("weight")]
        assert all(gradient.dtype == torch.float32 for gradient in gradients)
        results.append([scores.detach().float(), penalty.detach(), *gradients])
    for exact, lowered in zip(*results, strict=True):
        assert (exact - lowered).norm() <= 0.2 * exact.norm()


def test_biases_do_not_move_a_slope():
    critic = Discriminator(NetworkConfig(width=1 / 64), 1)
    critic_penalty(critic, torch.randn(2, 1, 128, 128)).backward()
    assert all(parameter.grad is None for name, parameter in critic.named_parameters() if name.endswith("bias"))


def test_a_flat_critic_is_penalized_by_one():
    critic = Discriminator(NetworkConfig(width=1 / 64), 1)
    with torch.no_grad():
        critic.head.norm.u.mul_(1e6)  # a norm a million times too large leaves no slope
    assert critic_penalty(critic, torch.randn(2, 1, 128, 128)).item() == pytest.approx(1, abs=1e-3)


def test_a_steep_critic_is_penalized_more_than_a_flat_one():
    critic = Discriminator(NetworkConfig(width=1 / 64), 1)
    interpolates = torch.randn(2, 1, 128, 128)
    slope = 1 - critic_penalty(critic, interpolates).sqrt().item()
    with torch.no_grad():
        critic.head.norm.u.mul_(slope / 5)
    assert critic_penalty(critic, interpolates).item() > 4


def test_the_interpolates_are_left_as_they_were():
    interpolates = torch.randn(1, 1, 128, 128)
    before = interpolates.clone()
    critic_penalty(Discriminator(NetworkConfig(width=1 / 64), 1), interpolates)
    assert torch.equal(interpolates, before)
    assert not interpolates.requires_grad


class TestWassersteinDivergence:
    """Signs as they are meant: the critic puts the real low and the fake high, a generator descends."""

    @pytest.fixture
    def real(self):
        return torch.randn(64, 2, generator=torch_stream("real")) + 3

    def divergence(self, critic, real, fake, sign=1):
        """With the sign that a copy of the printed (17) loses, where it is turned."""
        mixed = real + torch.rand(len(real), 1, generator=torch_stream("mix")) * (fake - real)
        found = wasserstein_divergence(critic, real, fake, mixed, 10.0, 5.0)
        if sign == 1:
            return found
        apart = critic(real).mean() - critic(fake).mean()
        return found - 2 * apart

    def trained(self, real, fake, sign=1, steps=50):
        critic = Perceptron((2, 16, 16, 1), seed=1)
        adam = Adam(critic.parameters(), 5e-3, OptimizerConfig())
        for _ in range(steps):
            adam.forget_gradients()
            self.divergence(critic, real, fake, sign).backward()
            adam.step()
        return critic

    def test_after_fifty_steps_the_real_is_lower_than_the_fake(self, real):
        fake = torch.randn(64, 2, generator=torch_stream("fake"))
        critic, misprinted = self.trained(real, fake), self.trained(real, fake, sign=-1)
        assert critic(real).mean() < critic(fake).mean()
        assert not misprinted(real).mean() < misprinted(fake).mean()

    def test_a_generator_that_descends_comes_nearer_and_one_under_a_turned_critic_runs_away(self, real):
        distances = {}
        for sign in (1, -1):
            place = torch.zeros(1, 2, requires_grad=True)
            noise = torch.randn(64, 2, generator=torch_stream("fake"))
            critic = self.trained(real, noise, sign)
            critic(noise + place).mean().backward()
            moved = noise - 0.5 * torch.nn.functional.normalize(place.grad)
            distances[sign] = (moved.mean(dim=0) - real.mean(dim=0)).norm()
            before = (noise.mean(dim=0) - real.mean(dim=0)).norm()
        assert distances[1] < before < distances[-1]

    def test_the_slope_has_a_power(self):
        critic = Perceptron((2, 1))
        with torch.no_grad():
            critic.layers[0].weight.copy_(torch.tensor([[3.0, 4.0]]))
        rows = torch.zeros(4, 2)
        for power in (1.0, 2.0, 5.0):
            assert wasserstein_divergence(critic, rows, rows, rows, 2.0, power).item() == pytest.approx(2 * 5**power)
