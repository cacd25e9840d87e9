"""A network that is to be tried has the weights that it is given, the norms of these, and draws no others."""

import pytest
import torch

from common.networks import Discriminator, learned_weights, load_learned, network_to_hear
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
