"""Adam is torch's Adam: the same numbers, the same state, and none of what torch's own brings along."""

import subprocess
import sys

import torch

from common.settings import OptimizerConfig
from common.training.adam import Adam

SETTINGS = OptimizerConfig()


def parameters(seed=0):
    """A matrix, a bias and a kernel that lies channels last."""
    stream = torch.Generator().manual_seed(seed)
    kernel = torch.randn(3, 2, 3, 3, generator=stream).contiguous(memory_format=torch.channels_last)
    return [
        torch.nn.Parameter(value)
        for value in (torch.randn(5, 37, generator=stream), torch.randn(7, generator=stream), kernel)
    ]


def give_gradients(moved, step):
    """The same for the same weights and step."""
    for parameter in moved:
        parameter.grad = (parameter.detach() * (step + 1)).sin()


def stock_adam(moved, *, fused):
    return torch.optim.Adam(moved, lr=1e-2, betas=(SETTINGS.beta1, SETTINGS.beta2), fused=fused)


def test_it_steps_like_the_stock_one_bit_for_bit_while_the_rate_falls():
    mine, stock = parameters(), parameters()
    adam, other = Adam(mine, 1e-2, SETTINGS), stock_adam(stock, fused=True)
    for step in range(20):
        adam.rate = other.param_groups[0]["lr"] = 1e-2 * 0.9**step
        give_gradients(mine, step)
        give_gradients(stock, step)
        adam.step()
        other.step()
    assert all(torch.equal(one, two) for one, two in zip(mine, stock, strict=True))
    for index, state in other.state_dict()["state"].items():
        for name, value in state.items():
            assert torch.equal(adam.state_dict()[f"{index}.{name}"], value)


def test_it_steps_like_the_textbook():
    mine, stock = parameters(), parameters()
    adam, other = Adam(mine, 1e-2, SETTINGS), stock_adam(stock, fused=False)
    for step in range(5):
        give_gradients(mine, step)
        give_gradients(stock, step)
        adam.step()
        other.step()
    torch.testing.assert_close(mine, stock)


def test_another_rate_would_be_seen():
    mine, stock = parameters(), parameters()
    give_gradients(mine, 0)
    give_gradients(stock, 0)
    Adam(mine, 1.001e-2, SETTINGS).step()
    stock_adam(stock, fused=True).step()
    assert not torch.equal(mine[0], stock[0])


def test_a_parameter_without_a_gradient_stands_still():
    moved = parameters()
    adam = Adam(moved, 1e-2, SETTINGS)
    give_gradients(moved, 0)
    adam.forget_gradients()
    before = [parameter.detach().clone() for parameter in moved]
    adam.step()
    moved[0].grad = torch.ones_like(moved[0])
    adam.step()
    assert not torch.equal(moved[0], before[0])
    assert torch.equal(moved[1], before[1])
    assert adam.state_dict()["1.step"] == 0


def test_a_restored_one_goes_on_as_if_nothing_had_been():
    one = parameters()
    adam = Adam(one, 1e-2, SETTINGS)
    give_gradients(one, 0)
    adam.step()
    two = [torch.nn.Parameter(parameter.detach().clone()) for parameter in one]
    other = Adam(two, 1e-2, SETTINGS)
    # As a file gives them back: contiguous, whatever the layout was.
    other.load_state_dict({name: value.clone().contiguous() for name, value in adam.state_dict().items()})
    for moved, optimizer in ((one, adam), (two, other)):
        give_gradients(moved, 1)
        optimizer.step()
    assert all(torch.equal(first, second) for first, second in zip(one, two, strict=True))


TUNE = """
import sys
import torch
from common.config.tree import Config
from common.networks import Acceleration
from common.synthesizers.methods.eskimez import SYNTHESIZER, finetune
from common.training.phases import Surroundings
from common.training.stages import Pair
from simulations.benchmarks.step import Noise, shaped

settings = {"network": {"width": 1 / 64, "noise": 8}, "runtime": {"device": "cpu", "threads": 1}}
config = shaped(Config.model_validate(settings), 2, 1)
around, settings = Surroundings(Acceleration.of(config.runtime)), SYNTHESIZER.settings_of(config)
finetune(Pair.fresh(config.network, 4, 0), Noise.of(2, 4), settings, 0, around)
print(*sys.modules)
"""


def test_a_tuning_does_not_load_the_compiler():
    ran = subprocess.run([sys.executable, "-c", TUNE], capture_output=True, text=True, check=True, timeout=200)
    loaded = set(ran.stdout.split())
    assert "torch" in loaded
    assert loaded.isdisjoint({"torch._dynamo", "torch._inductor", "sympy", "torchvision"})


def test_its_decay_is_that_of_adamw():
    mine, stock = parameters(), parameters()
    adam = Adam(mine, 1e-2, SETTINGS, decay=0.1)
    other = torch.optim.AdamW(stock, lr=1e-2, betas=(SETTINGS.beta1, SETTINGS.beta2), weight_decay=0.1)
    for step in range(5):
        give_gradients(mine, step)
        give_gradients(stock, step)
        adam.step()
        other.step()
    for one, two in zip(mine, stock, strict=True):
        torch.testing.assert_close(one, two)
