"""Memory is predicted from the settings, and a stage that does not fit is refused before it starts."""

import subprocess
import sys

import pytest
import torch

from common.errors import UserError
from common.networks import memory
from common.networks.memory import require_memory, training_memory
from common.settings import NetworkConfig

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


@pytest.mark.parametrize(("allowed", "free"), [("3000000", 3_000_000 - 1_500_000), ("max", None)])
def test_files_that_a_container_has_read_do_not_count_as_taken(tmp_path, allowed, free):
    (tmp_path / "memory.max").write_text(f"{allowed}\n")
    (tmp_path / "memory.current").write_text("2500000\n")
    (tmp_path / "memory.stat").write_text("anon 1200000\ninactive_file 1000000\nactive_file 300000\n")
    assert memory.available_memory(CPU, tmp_path) == pytest.approx(free or memory.available_memory(CPU), rel=0.2)


PEAK = r"""
import re, sys, torch
from dataclasses import dataclass
from pathlib import Path
from common.config.tree import Config
from common.networks.acceleration import Acceleration
from common.training.phases import Surroundings
from common.training.recognizer import train_recognizer
from common.training.stages import Pair, finetune, train_adversarial, train_autoencoder

stage, precision = sys.argv[1:]
section = {"iterations": 2, "batch": 32}
config = Config.model_validate({
    "network": {"width": 1 / 4},
    "pretraining": {"autoencoder": section, "adversarial": section},
    "finetuning": section,
    "recognizer": section,
    "runtime": {"precision": precision, "threads": 1, "device": "cpu"},
})

@dataclass(frozen=True)
class Batch:
    patches: torch.Tensor
    labels: torch.Tensor

class Noise:
    def batch(self, step, size, stream):
        return Batch(torch.rand(size, 1, 128, 128) * 2 - 1, torch.arange(size) % 4)

def peak():  # of this process alone: getrusage counts what its parent had when it forked
    return 1024 * int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1])

around = Surroundings(Acceleration.from_runtime(config.runtime))
before = peak()
if stage == "recognizer":
    train_recognizer(Noise(), config, 0, around)
else:
    train = {"autoencoder": train_autoencoder, "adversarial": train_adversarial, "finetuning": finetune}[stage]
    train(Pair.fresh(config), Noise(), config, 0, around)
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("stage", memory.SHOWN)
def test_a_stage_takes_what_was_predicted(stage, precision):
    command = [sys.executable, "-c", PEAK, stage, precision]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=250)
    taken, predicted = int(ran.stdout), training_memory(NetworkConfig(width=1 / 4), 32, stage)
    assert 0.95 < predicted / taken < 1.6
