"""Dense networks, alone and in stacks: their sizes, first values, and the slope that is written out."""

import pytest
import torch

from common.networks import Acceleration
from common.networks.perceptron import Perceptron
from common.seeds import torch_stream
from common.settings import RuntimeConfig


def rows_for(*shape):
    return torch.randn(*shape, generator=torch_stream("rows"))


def test_it_has_the_layers_that_its_sizes_say_and_nothing_behind_the_last():
    network = Perceptron((3, 5, 2), seed=1)
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert shapes == {
        "layers.0.weight": (5, 3),
        "layers.0.bias": (5,),
        "layers.1.weight": (2, 5),
        "layers.1.bias": (2,),
    }
    first, last = network.layers
    rows = rows_for(7, 3)
    assert torch.equal(network(rows), last(torch.relu(first(rows))))
    assert (network(rows) < 0).any()


def test_its_first_values_are_glorots_and_follow_from_the_seed_alone():
    torch.manual_seed(0)
    one, same, other = (Perceptron((100, 300, 200), seed=seed) for seed in (1, 1, 2))
    weight = one.layers[1].weight
    bound = (6 / 500) ** 0.5
    assert weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.02)
    assert not one.layers[0].bias.any()
    assert torch.equal(weight, same.layers[1].weight)
    assert not torch.equal(weight, other.layers[1].weight)
    assert torch.equal(torch.rand(1), torch.rand(1, generator=torch.Generator().manual_seed(0)))


def test_a_stack_is_as_many_networks_each_with_its_own_rows():
    stack, rows = Perceptron((3, 4, 4, 2), seed=1, leak=0.2, copies=5), rows_for(5, 6, 3)
    together = stack(rows)
    assert together.shape == (5, 6, 2)
    for number in range(5):
        one = Perceptron((3, 4, 4, 2), leak=0.2)
        one.load_state_dict({name: value[number] for name, value in stack.state_dict().items()})
        torch.testing.assert_close(one(rows[number]), together[number])


@pytest.mark.parametrize("leak", [0.0, 0.2])
@pytest.mark.parametrize("copies", [None, 3])
def test_the_slope_and_its_gradients_are_autograds(leak, copies):
    network = Perceptron((4, 6, 5, 1), seed=1, leak=leak, copies=copies)
    rows = rows_for(*(() if copies is None else (copies,)), 7, 4)
    asked = rows.clone().requires_grad_()
    (textbook,) = torch.autograd.grad(network(asked).sum(), asked, create_graph=True)
    written = network.slope(rows)
    torch.testing.assert_close(written, textbook)
    gradients = []
    for slope in (textbook, written):
        network.zero_grad()
        slope.norm(dim=-1).pow(5).mean().backward()
        gradients.append([layer.weight.grad.clone() for layer in network.layers])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_in_bf16_it_puts_out_fp32():
    network, rows = Perceptron((4, 6, 1), seed=1), rows_for(3, 4)
    with Acceleration.of(RuntimeConfig(device="cpu", precision="bf16")).autocast():
        lowered, slope = network(rows), network.slope(rows)
    assert lowered.dtype == slope.dtype == torch.float32
    torch.testing.assert_close(lowered, network(rows), atol=0.05, rtol=0.05)
