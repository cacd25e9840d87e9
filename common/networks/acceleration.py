"""What depends on the machine: device, precision, memory layout, threads.

Owns every choice that changes how fast a step is but not what it computes. Must not know what is trained.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from common.errors import UserError
from common.settings import RuntimeConfig

AnyModule = TypeVar("AnyModule", bound=nn.Module)


@dataclass(frozen=True)
class Acceleration:
    """The machine as a run uses it."""

    device: torch.device
    bf16: bool
    threads: int = 0
    """That share a sum, on which its last bits depend; 0 leaves the process as it is."""
    recorded: bool = False
    """Whether a training step is recorded once and played back from then on."""
    tries_from: int = 2000
    """Steps of a stage from which on a GPU's library tries kernels out before it chooses: that takes many seconds."""

    @classmethod
    def of(cls, runtime: RuntimeConfig) -> "Acceleration":
        """Resolve `auto`; nothing of the process changes before it is entered."""
        device = _device(runtime.device)
        bf16 = runtime.precision == "bf16" or (runtime.precision == "auto" and has_bf16(device))
        return cls(device, bf16, runtime.threads, recorded=device.type == "cuda")

    @contextmanager
    def entered(self) -> Iterator[None]:
        """The process computes so while the block runs: with so many threads, and on a GPU in TF32."""
        threads = torch.get_num_threads()
        tf32 = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
        if self.threads:
            torch.set_num_threads(self.threads)
        if self.device.type == "cuda":
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = tf32

    @property
    def precision(self) -> str:
        """Of matrix products, by its name in the settings."""
        return "bf16" if self.bf16 else "fp32"

    @property
    def device_name(self) -> str:
        """A GPU's own name, or cpu."""
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type

    def autocast(self) -> AbstractContextManager[object]:
        """Around forwards: bf16 matrix products where the machine has them, nothing elsewhere."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16) if self.bf16 else nullcontext()

    def expect(self, steps: int) -> None:
        """Say how many steps a stage has left before it begins."""
        if self.device.type == "cuda":
            torch.backends.cudnn.benchmark = steps >= self.tries_from

    def prepare(self, module: AnyModule) -> AnyModule:
        """Move a network to the device, its images channels last."""
        return prepare(module, self.device)


def prepare(module: AnyModule, device: torch.device) -> AnyModule:
    """Move a network to a device, and on a GPU its kernels into the layout of its images."""
    if device.type == "cpu":
        return module.to(device)
    return module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def lowered(tensor: Tensor) -> Tensor:
    """The tensor in the type that an autocast around asks for, and as it is where there is none."""
    return tensor.to(lowered_type(tensor))


def lowered_type(tensor: Tensor) -> torch.dtype:
    """What `lowered` makes of a tensor's type."""
    device = tensor.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else tensor.dtype


def has_bf16(device: torch.device) -> bool:
    """Whether bf16 products run in hardware; emulated ones are slower than fp32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported())


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise UserError("this machine has no CUDA device", where=f"runtime.device = {name!r}", remedy="use 'auto'")
    return torch.device(name)
