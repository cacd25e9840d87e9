"""A released generator, asked for emotions or for none."""

import pytest
import torch
from torch.nn import functional

from common.networks import Generator
from common.synthesizers import ConditionalSampler


@pytest.fixture
def sampler(release, tune):
    return ConditionalSampler(release.generator, tune.tuning.network)


@pytest.fixture
def latents(tune):
    return torch.randn(3, tune.tuning.network.noise, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def ask(release, tune):
    generator = Generator(tune.tuning.network, normalized=False)
    generator.load_state_dict(release.generator)

    @torch.no_grad()
    def forward(latents, condition):
        return generator(latents, condition)

    return forward


def test_a_class_is_a_one_hot_condition(sampler, latents, ask):
    wanted = torch.tensor([0, 3, 1])
    torch.testing.assert_close(sampler.decode(latents, wanted), ask(latents, functional.one_hot(wanted, 4).float()))


def test_class_minus_one_is_the_zero_condition_of_pre_training(sampler, latents, ask):
    torch.testing.assert_close(sampler.decode(latents, torch.full((3,), -1)), ask(latents, torch.zeros(3, 4)))


@pytest.mark.parametrize("wanted", [-2, 4])
def test_a_class_that_is_none_is_refused(wanted, sampler, latents):
    with pytest.raises(RuntimeError):
        sampler.decode(latents, torch.full((3,), wanted))


def test_a_latent_scale_widens_the_latents_and_nothing_else(sampler, tune):
    wanted, stream = torch.tensor([0, 1]), torch.Generator()
    latents = torch.randn(2, tune.tuning.network.noise, generator=stream.manual_seed(5))
    drawn = sampler.sample(wanted, stream.manual_seed(5), latent_scale=1.5)
    assert torch.equal(drawn, sampler.decode(1.5 * latents, wanted))
