"""Memory is predicted from the settings, and a stage that does not fit is refused before it starts."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from common.errors import UserError
from common.networks import memory
from common.networks.memory import (
    AUTOENCODER_SHOWS,
    CRITIC_SHOWS,
    TUNING_SHOWS,
    pair_memory,
    recognizer_memory,
    require_memory,
)
from common.settings import NetworkConfig

CPU = torch.device("cpu")
SHOWS = {"autoencoder": AUTOENCODER_SHOWS, "adversarial": CRITIC_SHOWS, "finetuning": TUNING_SHOWS}


def predicted(stage, width, batch=32):
    network = NetworkConfig(width=width)
    return pair_memory(network, batch, SHOWS[stage], 4) if stage in SHOWS else recognizer_memory(network, batch, 4)


def test_a_stage_that_fits_may_start(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda device: 10**12)
    require_memory("finetuning", predicted("finetuning", 1), CPU)


def test_a_stage_that_does_not_fit_is_refused_with_advice(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda device: 2 * 10**9)
    with pytest.raises(UserError, match=r"finetuning needs .* GB in memory, 2\.0 GB are free; halve network\.width"):
        require_memory("finetuning", predicted("finetuning", 1), CPU)


def test_memory_grows_with_width_and_batch():
    for stage in ("finetuning", "recognizer"):
        sizes = [predicted(stage, width, 8) for width in (1 / 16, 1 / 8, 1)]
        assert sizes == sorted(sizes)
        assert predicted(stage, 1, 64) > sizes[-1]


def test_a_gradient_penalty_needs_more_and_a_recognizer_less():
    assert predicted("adversarial", 1) > predicted("finetuning", 1) > predicted("recognizer", 1)


def test_this_machine_has_some_memory():
    assert memory.available_memory(CPU) > 0


@pytest.mark.parametrize(("allowed", "free"), [("3000000", 3_000_000 - 1_500_000), ("max", None)])
def test_files_that_a_container_has_read_do_not_count_as_taken(tmp_path, allowed, free):
    (tmp_path / "memory.max").write_text(f"{allowed}\n")
    (tmp_path / "memory.current").write_text("2500000\n")
    (tmp_path / "memory.stat").write_text("anon 1200000\ninactive_file 1000000\nactive_file 300000\n")
    assert memory.available_memory(CPU, tmp_path) == pytest.approx(free or memory.available_memory(CPU), rel=0.2)


PEAK = r"""
import re, runpy, sys, torch
from dataclasses import dataclass
from pathlib import Path
from common.config.tree import Config
from common.networks.acceleration import Acceleration
from common.training.phases import Surroundings
from common.recognizers.methods import cnn
from common.settings import EMOTIONS
from common.spaces import PATCHES
from common.synthesizers import Fitting
from common.synthesizers.methods import eskimez
from common.training.stages import train_adversarial, train_autoencoder

conftest, stage, precision = sys.argv[1:]
shared = runpy.run_path(conftest)
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
    values: torch.Tensor
    labels: torch.Tensor

class Noise:
    def batch(self, step, size, stream):
        return Batch(torch.rand(size, 1, 128, 128) * 2 - 1, torch.arange(size) % 4)

def peak():  # of this process alone: getrusage counts what its parent had when it forked
    return 1024 * int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1])

around = Surroundings(Acceleration.of(config.runtime))
before = peak()
if stage == "recognizer":
    cnn.train(Noise(), cnn.RECOGNIZER.settings_of(config), PATCHES, 4, 0, around)
elif stage == "finetuning":
    base = shared["fresh"](config).learned()
    fitting = Fitting(lambda balanced: Noise(), base, EMOTIONS, PATCHES, 0, around)
    eskimez.SYNTHESIZER.fit(fitting, eskimez.SYNTHESIZER.settings_of(config))
else:
    train, pretraining = {"autoencoder": train_autoencoder, "adversarial": train_adversarial}[stage], config.pretraining
    train(shared["fresh"](config), Noise(), getattr(pretraining, stage), config.optimizer, 0, around)
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "most"), [("fp32", 1.6), ("bf16", 2.0)])  # predicted is what fp32 takes
@pytest.mark.parametrize("stage", [*SHOWS, "recognizer"])
def test_a_stage_takes_what_was_predicted(stage, precision, most):
    command = [sys.executable, "-c", PEAK, str(Path(__file__).parents[1] / "conftest.py"), stage, precision]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=250)
    assert ran.returncode == 0, ran.stderr
    assert 0.95 < predicted(stage, 1 / 4) / int(ran.stdout) < most
