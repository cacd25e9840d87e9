"""Memory is predicted from the settings, and a stage that does not fit is refused before it starts."""

import subprocess
import sys

import pytest
import torch

from common.config.tree import NetworkConfig
from common.errors import UserError
from common.networks import memory
from common.networks.memory import require_memory, training_memory

CPU = torch.device("cpu")


def test_a_stage_that_fits_may_start(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda device: 10**12)
    require_memory(NetworkConfig(width=1), 32, "finetuning", CPU)


def test_a_stage_that_does_not_fit_is_refused_with_advice(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda device: 2 * 10**9)
    with pytest.raises(UserError, match=r"needs .* GB in memory, 2\.0 GB are free; halve network\.width"):
        require_memory(NetworkConfig(width=1), 32, "finetuning", CPU)


def test_memory_grows_with_width_and_batch():
    sizes = [training_memory(NetworkConfig(width=width), 8, "finetuning") for width in (1 / 16, 1 / 8, 1)]
    assert sizes == sorted(sizes)
    assert training_memory(NetworkConfig(width=1), 64, "finetuning") > sizes[-1]


def test_a_gradient_penalty_needs_more_and_a_recognizer_less():
    needed = {stage: training_memory(NetworkConfig(width=1), 32, stage) for stage in memory.SHOWN}
    assert needed["adversarial"] > needed["finetuning"] > needed["recognizer"]


def test_this_machine_has_some_memory():
    assert memory.available_memory(CPU) > 0


PEAK = """
import resource, torch
from common.config.tree import NetworkConfig, OptimizerConfig
from common.networks import Discriminator, Generator
from common.training.adam import Adam

torch.set_num_threads(1)
config = NetworkConfig(width=1 / 4)
generator, discriminator = Generator(config), Discriminator(config, 5)
average = [p.detach().clone() for n in (generator, discriminator) for p in n.parameters()]
kept = [p.detach().clone() for n in (generator, discriminator) for p in n.parameters()]
optimizers = [Adam(n.parameters(), 1e-3, OptimizerConfig()) for n in (discriminator, generator)]
for _ in range(2):
    made = generator(torch.randn(32, 128), torch.zeros(32, 4))
    discriminator(torch.cat((torch.rand(32, 1, 128, 128), made.detach()))).square().mean().backward()
    optimizers[0].step()
    discriminator.requires_grad_(False)
    discriminator(made).square().mean().backward()
    discriminator.requires_grad_(True)
    optimizers[1].step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


@pytest.mark.slow
def test_the_prediction_is_within_a_third_of_the_measured_peak():
    ran = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True, timeout=250)
    peak = int(ran.stdout)
    assert peak * 0.75 < training_memory(NetworkConfig(width=1 / 4), 32, "finetuning") < peak * 1.5
