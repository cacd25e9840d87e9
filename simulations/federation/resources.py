"""How many clients this machine can tune at once, and why.

Owns the plan. Must not know how clients are started.
"""

import os
from dataclasses import dataclass

import psutil
import torch

from common.config import Config
from common.errors import UserError
from common.networks.memory import training_memory
from common.training.stages import FINETUNING

OVERHEAD = 800 * 2**20
"""Bytes of a process that has loaded torch and Flower before it trains anything."""


@dataclass(frozen=True)
class Plan:
    """Resources of each client and of the server, as Ray is told of them."""

    clients: int
    at_once: int
    threads: int
    gpus: float
    client_bytes: int
    server_bytes: int

    def lines(self) -> tuple[str, ...]:
        """What a person wants to know before it starts."""
        share = f", {self.gpus:.2g} of a GPU" if self.gpus else ""
        return (
            f"{self.clients} clients, {self.at_once} at a time, {self.threads} thread(s){share} each",
            f"predicted memory: {_gigabytes(self.client_bytes)} a client, {_gigabytes(self.server_bytes)} the server",
        )


def plan_resources(config: Config, clients: int) -> Plan:
    """As many at once as cores and memory allow beside the server's own share."""
    need = OVERHEAD + training_memory(config.network, config.finetuning.batch, FINETUNING)
    server = OVERHEAD + training_memory(config.network, config.recognizer.batch, "recognizer")
    available = psutil.virtual_memory().available
    threads = config.campaign.client_threads
    by_cores = max((os.cpu_count() or 1) // threads, 1)
    by_memory = int((available - server) // need)
    gpus = _gpu_share(config, need)
    if by_memory < 1:
        raise UserError(
            f"one client needs {_gigabytes(need)} and the server {_gigabytes(server)}",
            where=f"{_gigabytes(available)} of memory are free",
            remedy="choose a smaller network.width or finetuning.batch, or a larger machine",
        )
    at_once = min(clients, by_cores if not gpus else int(torch.cuda.device_count() / gpus), by_memory)
    return Plan(clients, max(at_once, 1), threads, gpus, need, server)


def _gpu_share(config: Config, need: int) -> float:
    """The part of a GPU that a client's memory takes; the server keeps one client's worth for itself."""
    if config.runtime.device == "cpu" or not torch.cuda.is_available():
        return 0.0
    total = torch.cuda.get_device_properties(0).total_memory
    return min(1.0, round(1 / max(int(total // need) - 1, 1), 3))


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
