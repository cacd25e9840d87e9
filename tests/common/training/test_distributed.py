"""Several processes: each takes its share, and together they are one."""

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from common.config.tree import Config
from common.errors import UserError
from common.training.distributed import Share

PROCESS = """
import runpy, sys
from dataclasses import replace
import torch
from safetensors.torch import save_file
from common.config.tree import Config
from common.networks.acceleration import Acceleration
from common.training.distributed import joined
from common.training.phases import Surroundings

conftest, settings, target = sys.argv[1:]
torch.set_num_threads(1)
shared = runpy.run_path(conftest)
bands = shared["Bands"]()
config = Config.model_validate_json(settings)
with joined(torch.device("cpu")) as share:
    around = Surroundings(Acceleration.of(config.runtime), share, report_every=2)
    assert share.any(share.rank == 1) and not share.any(False)
    pair = shared["fresh"](config)
    for stage in shared["STAGES"].values():
        pair = stage(pair, bands, config, 0, around)
    share.wait()
    weights = {name: value.contiguous() for name, value in pair.generator.state_dict().items()}
    save_file(weights, target + str(share.rank))
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def slower(config):
    """Adam divides a gradient by its own size, so where one is nearly nothing its last digits move whole steps."""
    rates = {"generator_learning_rate": 2e-4, "discriminator_learning_rate": 2e-4}
    return Config.model_validate(
        config.model_dump()
        | {
            "pretraining": {
                "autoencoder": {"iterations": 2, "batch": 2, "learning_rate": 2e-4},
                "adversarial": {"iterations": 2, "batch": 2, **rates},
            },
            "finetuning": {"iterations": 2, "batch": 2, **rates},
        }
    )


@pytest.fixture
def train(fresh, stages, bands):
    def through_all(config, around):
        pair = fresh(config)
        for stage in stages.values():
            pair = stage(pair, bands, config, 0, around)
        return pair.generator.state_dict()

    return through_all


def farthest(first, second):
    return max(float((first[name] - second[name]).abs().max()) for name in first)


@pytest.mark.slow
def test_two_processes_of_half_the_batch_equal_one_of_the_whole(config, train, around, tmp_path):
    config = slower(config)
    place = os.environ | {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()}
    arguments = [str(Path(__file__).parents[1] / "conftest.py"), config.model_dump_json(), str(tmp_path / "weights")]
    command = [sys.executable, "-c", PROCESS, *arguments]
    started = [subprocess.Popen(command, env=place | {"RANK": str(rank)}) for rank in range(2)]
    whole, half = train(config, around), train(config, replace(around, share=Unheard(0, 2)))
    assert [process.wait(timeout=200) for process in started] == [0, 0]
    first, second = (load_file(tmp_path / f"weights{rank}") for rank in range(2))
    assert farthest(first, second) == 0
    assert farthest(first, whole) < 1e-5
    assert farthest(half, whole) > 1e-4


class Unheard(Share):
    """One of two processes that never hears of the other: what the comparison must be able to notice."""

    def average(self, tensors):
        pass

    def any(self, flag):
        return flag


def test_alone_a_process_does_everything_itself():
    rows = torch.arange(4)
    assert torch.equal(Share().of(rows), rows)
    assert Share().leads
    assert Share().any(True)


def test_shares_of_all_processes_make_the_whole():
    rows = torch.arange(12)
    assert torch.equal(torch.cat([Share(rank, 3).of(rows) for rank in range(3)]), rows)


def test_a_batch_that_cannot_be_shared_evenly_is_refused():
    with pytest.raises(UserError, match="batch of 5 cannot be shared evenly by 2 processes"):
        Share(0, 2).of(torch.arange(5))
