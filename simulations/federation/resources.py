"""How many clients this machine can tune at once, and why.

Owns the plan. Must not know how clients are started.
"""

import math
from dataclasses import dataclass

import torch

from common.config import Config
from common.cores import usable_cores
from common.errors import UserError
from common.features.spaces import space_of
from common.networks.memory import available_memory
from common.recognizers import recognizer
from common.synthesizers import synthesizer

OVERHEAD = 800 * 2**20
"""Bytes of a process that has loaded torch and Flower before it trains anything."""


@dataclass(frozen=True)
class Machine:
    """What there is to share out: cores, bytes of free memory, and those of each GPU that is to be used."""

    cores: int
    memory: int
    gpus: tuple[int, ...] = ()

    @classmethod
    def here(cls, config: Config) -> "Machine":
        """This one, as far as this process may use it."""
        cores = usable_cores()
        gpus: tuple[int, ...] = ()
        if config.runtime.device != "cpu" and torch.cuda.is_available():
            devices = (torch.device("cuda", number) for number in range(torch.cuda.device_count()))
            gpus = tuple(available_memory(device) for device in devices)
        return cls(cores, available_memory(torch.device("cpu")), gpus)


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
        share = f", {self.gpus:.3g} of a GPU" if self.gpus else ""
        return (
            f"{self.clients} clients, {self.at_once} at a time, {self.threads} thread(s){share} each",
            f"predicted memory: {_gigabytes(self.client_bytes)} a client, {_gigabytes(self.server_bytes)} the server",
        )


def tuner_memory(config: Config) -> int:
    """Bytes of a process that tunes a generator."""
    method = synthesizer(config.methods.synthesizer)
    return OVERHEAD + method.cost(method.settings_of(config), space_of(config), config.corpus.classes).bytes


def plan_resources(config: Config, clients: int, machine: Machine | None = None) -> Plan:
    """As many at once as the machine holds beside the server, which trains when they are done but stays in memory."""
    machine = machine or Machine.here(config)
    need = tuner_memory(config)
    reader = recognizer(config.methods.recognizer)
    server = OVERHEAD + reader.cost(reader.settings_of(config), space_of(config), config.corpus.classes).bytes
    threads = config.campaign.client_threads
    if machine.gpus:
        a_gpu = (min(machine.gpus) - server) // need
        share, most = 1 / max(a_gpu, 1), a_gpu * len(machine.gpus)
        place, free = "on each GPU", min(machine.gpus)
    else:
        share, most = 0.0, (machine.memory - server) // need
        place, free = "of memory", machine.memory
    if most < 1:
        raise UserError(
            f"one client needs {_gigabytes(need)} and the server {_gigabytes(server)}",
            where=f"{_gigabytes(free)} {place} are free",
            remedy="choose a smaller network.width or finetuning.batch, or a larger machine",
        )
    at_once = min(clients, most, max(machine.cores // threads, 1))
    # Rounded down, for three thirds that were rounded up would not fit one GPU.
    return Plan(clients, at_once, threads, math.floor(1000 * share) / 1000, need, server)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
