"""The spectral norm: found exactly, followed by one iteration a step, divided out with its gradient."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from common.config.tree import NetworkConfig
from common.networks import Discriminator, Generator
from common.networks.layers import Layer
from common.networks.spectral import SpectralNorm, advance
from common.seeds import torch_stream


def norm_of(weight):
    return SpectralNorm(weight, torch_stream("test"))


@given(rows=some.integers(1, 24), columns=some.integers(1, 24), seed=some.integers(0, 99))
def test_a_fresh_estimate_is_the_largest_singular_value(rows, columns, seed):
    weight = torch.randn(rows, columns, generator=torch_stream(seed))
    torch.testing.assert_close(norm_of(weight).sigma(weight), torch.linalg.matrix_norm(weight, 2), rtol=1e-4, atol=0)


@pytest.mark.parametrize("weight", [torch.eye(32, 96), torch.ones(32, 96), torch.eye(32).repeat(1, 3)[:, ::2]])
def test_a_weight_of_few_singular_values_has_no_larger_norm_than_it_has(weight):
    torch.testing.assert_close(norm_of(weight).sigma(weight), torch.linalg.matrix_norm(weight, 2), rtol=1e-5, atol=0)


def test_a_kernel_is_read_as_a_matrix():
    kernel = torch.randn(4, 3, 3, 3)
    expected = torch.linalg.matrix_norm(kernel.flatten(1), 2)
    torch.testing.assert_close(norm_of(kernel).sigma(kernel), expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize(
    "network", [Generator(NetworkConfig(width=1 / 16)), Discriminator(NetworkConfig(width=1 / 16), 1)]
)
def test_every_layer_of_a_fresh_network_starts_from_a_converged_norm(network):
    layers = [layer for layer in network.modules() if isinstance(layer, Layer)]
    assert len(layers) == len([name for name, _ in network.named_parameters() if name.endswith("weight")])
    for layer in layers:
        applied = torch.linalg.matrix_norm(layer.normed_weight().flatten(1), 2)
        torch.testing.assert_close(applied, torch.tensor(1.0), rtol=1e-4, atol=0)


def test_a_weight_of_zeros_has_no_infinite_norm():
    weight = torch.zeros(3, 4)
    norm = norm_of(weight)
    advance([norm], [weight])
    assert norm.sigma(weight) == 0
    assert torch.isfinite(norm.u).all()
    assert torch.isfinite(norm.v).all()


def test_the_estimate_follows_a_weight_that_moves_slowly():
    stream = torch_stream("drift")
    weight = torch.randn(16, 12, generator=stream)
    norm = norm_of(weight)
    for _ in range(50):
        weight += 0.01 * torch.randn(16, 12, generator=stream)
        advance([norm], [weight])
    exact = torch.linalg.matrix_norm(weight, 2)
    assert 0 <= (exact - norm.sigma(weight)) / exact < 0.02


def test_without_advancing_the_estimate_falls_behind():
    stream = torch_stream("drift")
    weight = torch.randn(16, 12, generator=stream)
    norm = norm_of(weight)
    moved = torch.randn(16, 12, generator=stream)
    behind = norm.sigma(moved)
    for _ in range(100):
        advance([norm], [moved])
    assert norm.sigma(moved) > 1.2 * behind


def test_dividing_fast_gives_the_plain_value_and_gradient():
    weight = torch.randn(4, 3, 3, 3, requires_grad=True)
    norm, direction = norm_of(weight.detach()), torch.randn(4, 3, 3, 3)
    results = [(divided := norm.divide(weight)), (plain := weight / norm.sigma(weight))]
    torch.testing.assert_close(*results)
    gradients = [torch.autograd.grad((result * direction).sum(), weight)[0] for result in (divided, plain)]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("back", [False, True])
def test_multiplying_fast_gives_the_plain_value_and_gradients(back):
    weight = torch.randn(5, 7, requires_grad=True)
    rows = torch.randn(3, 5 if back else 7, requires_grad=True)
    norm = norm_of(weight.detach())
    matrix = weight / norm.sigma(weight)
    results = [norm.multiply(rows, weight, back=back), rows @ (matrix if back else matrix.t())]
    torch.testing.assert_close(*results)
    first, second = (
        torch.autograd.grad(result.square().sum(), (rows, weight), retain_graph=True) for result in results
    )
    torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-6)


def test_the_norm_is_not_rounded_by_autocast():
    weight = torch.randn(8, 8)
    norm = norm_of(weight)
    with torch.autocast("cpu", torch.bfloat16):
        assert norm.sigma(weight).dtype == torch.float32
        torch.testing.assert_close(norm.sigma(weight), torch.linalg.matrix_norm(weight, 2), rtol=1e-4, atol=0)
