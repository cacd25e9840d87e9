"""A network that is to be tried has the weights that it is given, the norms of these, and draws no others."""

import pytest
import torch

from common.networks import Discriminator, learned_weights, load_learned, network_to_hear, norms_of
from common.networks.spectral import SpectralNorm
from common.settings import NetworkConfig

SMALL = NetworkConfig(width=1 / 32)


@pytest.fixture
def trained():
    return Discriminator(SMALL, 4, seed=3)


def test_it_says_what_a_network_says_that_was_made_and_then_loaded(trained):
    weights, patches = learned_weights(trained.state_dict()), torch.randn(3, 1, 128, 128)
    loaded = Discriminator(SMALL, 4, seed=1)
    load_learned(loaded, weights)
    tried = network_to_hear(lambda: Discriminator(SMALL, 4), weights)
    with torch.no_grad():
        torch.testing.assert_close(tried(patches), loaded(patches))


def test_weights_of_another_network_are_refused(trained):
    weights = learned_weights(trained.state_dict())
    with pytest.raises(KeyError, match=r"head\.bias"):
        network_to_hear(lambda: Discriminator(SMALL, 4), {k: v for k, v in weights.items() if k != "head.bias"})
    with pytest.raises(KeyError, match="more"):
        network_to_hear(lambda: Discriminator(SMALL, 4), {**weights, "more": torch.zeros(1)})


class TestNorms:
    """Vectors that were found before save the search; those that merely come with weights are not believed."""

    @pytest.fixture
    def weights(self, trained):
        return learned_weights(trained.state_dict())

    @pytest.fixture
    def norms(self, weights):
        return norms_of(network_to_hear(lambda: Discriminator(SMALL, 4), weights))

    @pytest.fixture
    def searched(self, monkeypatch):
        """How often a norm was sought."""
        sought, honest = [], SpectralNorm.converge
        monkeypatch.setattr(SpectralNorm, "converge", lambda norm, weight: sought.append(1) or honest(norm, weight))
        return sought

    def test_found_ones_are_taken_and_it_says_the_same(self, weights, norms, searched):
        patches = torch.randn(3, 1, 128, 128)
        known = network_to_hear(lambda: Discriminator(SMALL, 4), weights, norms)
        assert searched == []
        with torch.no_grad():
            assert torch.equal(known(patches), network_to_hear(lambda: Discriminator(SMALL, 4), weights)(patches))
        assert searched

    def test_those_of_another_network_are_sought_anew(self, weights, norms, searched):
        for others in ({}, {**norms, "head.norm.u": torch.zeros(9)}, dict(list(norms.items())[1:])):
            searched.clear()
            network_to_hear(lambda: Discriminator(SMALL, 4), weights, others)
            assert searched

    def test_those_among_the_weights_change_nothing(self, weights, norms):
        forged = {**weights, **{name: torch.ones_like(value) for name, value in norms.items()}}
        found = norms_of(network_to_hear(lambda: Discriminator(SMALL, 4), forged))
        assert all(torch.equal(found[name], value) for name, value in norms.items())
