"""Several processes that train one network: each computes a share of every batch.

Owns the share and the sums over processes. Must not know a loss or a network.

Gradients are averaged after backward instead of by torch's DDP wrapper: every loss here is a mean over its batch, so
the mean over equal shares is the whole batch's gradient exactly, whatever way it was computed. The wrapper hooks a
module's forward, which an analytic gradient penalty, a frozen phase and two losses on one network all go around.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed

from common.errors import UserError
from common.settings import RuntimeConfig

PATIENCE = timedelta(minutes=30)
"""A process that waits longer for the others gives up with an error; one may be extracting features meanwhile."""


@dataclass(frozen=True)
class Share:
    """Which part of every batch this process computes.

    >>> Share(1, 2).of(torch.arange(4))
    tensor([2, 3])
    """

    rank: int = 0
    processes: int = 1

    @property
    def leads(self) -> bool:
        """True in the one process that writes."""
        return self.rank == 0

    def of(self, whole: Tensor) -> Tensor:
        """This process's rows."""
        if len(whole) % self.processes:
            raise UserError(
                f"a batch of {len(whole)} cannot be shared evenly by {self.processes} processes",
                remedy="make the batch a multiple of the number of processes",
            )
        return whole.chunk(self.processes)[self.rank]

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by its mean over all processes, in place."""
        if self.processes == 1:
            return
        shared = list(tensors)
        for pending in [distributed.all_reduce(tensor, async_op=True) for tensor in shared]:
            pending.wait()
        for tensor in shared:
            tensor.div_(self.processes)

    def any(self, flag: bool) -> bool:
        """True everywhere when it is true anywhere."""
        if self.processes == 1:
            return flag
        device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        votes = torch.tensor(float(flag), device=device)
        distributed.all_reduce(votes)
        return bool(votes)

    def wait(self) -> None:
        """Return when every process has come here."""
        if self.processes > 1:
            distributed.barrier()


def runtime_of_process(runtime: RuntimeConfig) -> RuntimeConfig:
    """Each process that torchrun starts on a machine takes a GPU of its own, where there are any."""
    if "LOCAL_RANK" not in os.environ or runtime.device == "cpu" or not torch.cuda.is_available():
        return runtime
    device = f"cuda:{os.environ['LOCAL_RANK']}"
    torch.cuda.set_device(device)
    return runtime.model_copy(update={"device": device})


@contextmanager
def joined(device: torch.device) -> Iterator[Share]:
    """The share that torchrun gave this process; alone, the whole."""
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if processes == 1:
        yield Share()
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield Share(distributed.get_rank(), processes)
    finally:
        distributed.destroy_process_group()
