"""The averaged generator."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from common.networks import Generator, release_weights
from common.training.averaging import Average, warmed_decay


@given(st.floats(0, 0.9999), st.integers(0, 10**7))
def test_the_decay_warms_up_to_its_setting_and_never_beyond(decay, step):
    assert 0 <= warmed_decay(decay, step) <= decay
    assert warmed_decay(decay, step) <= warmed_decay(decay, step + 1)


def test_an_average_lies_between_the_weights_it_has_seen(config):
    network = Generator(config.network)
    average = Average(network, decay=0.5)
    before = network.linears[0].weight.detach().clone()
    with torch.no_grad():
        network.linears[0].weight.add_(1)
    average.update(10**6)
    torch.testing.assert_close(average.network().linears[0].weight, before + 0.5)
    assert torch.equal(network.linears[0].weight, before + 1)


def test_the_norms_of_an_average_are_its_own(config):
    network = Generator(config.network)
    average = Average(network, decay=0.5)
    with torch.no_grad():
        for layer in network.linears:
            layer.weight.normal_(generator=torch.Generator().manual_seed(1))
    average.update(10**6)
    released = release_weights(average.network())
    for number in range(2):
        assert torch.linalg.matrix_norm(released[f"linears.{number}.weight"], 2) == pytest.approx(1, rel=1e-2)
