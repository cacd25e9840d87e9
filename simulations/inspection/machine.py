"""Processor, memory and GPU, and what reduced precision and another memory layout are worth on them.

The worth is measured on a training step of the discriminator at `demo` width, because processors that claim bf16
differ by a factor of ten in what it brings.
"""

import platform
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

from common.cores import usable_cores
from common.space import SIDE
from simulations.inspection.finding import GIB, Finding

SECONDS = 3.0
"""What the measurement may take, its warm-up left out."""
BATCH = 16


def processor(cpuinfo: str | None = None, cores: int | None = None) -> Finding:
    """Its name, the cores this process may use, and the vector instructions that torch profits from."""
    if cpuinfo is None:
        path = Path("/proc/cpuinfo")
        cpuinfo = path.read_text() if path.exists() else ""
    fields = dict(line.split(":", 1) for line in cpuinfo.splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    name = fields.get("model name") or platform.processor() or platform.machine()
    flags = fields.get("flags", "").split()
    useful = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    usable = cores or usable_cores()
    seen = f"{name}, {usable} core{'s' * (usable > 1)} usable, {' '.join(useful) or 'vector instructions not told'}"
    if flags and "avx2" not in flags:
        return Finding("processor", "warn", seen, "without AVX2 torch is several times slower; use another machine")
    return Finding("processor", "ok", seen, figures={"cores": usable})


def memory(total: int | None = None, available: int | None = None) -> Finding:
    """Main memory: torch, Flower and Ray with five small clients take about four GiB."""
    if total is None or available is None:
        import psutil

        total, available = psutil.virtual_memory().total, psutil.virtual_memory().available
    seen = f"{available / GIB:.1f} of {total / GIB:.1f} GiB free"
    figures = {"total_gib": total / GIB, "available_gib": available / GIB}
    if available < 2 * GIB:
        return Finding("memory", "fail", seen, "the demo needs 2 GiB; close something large", figures)
    if available < 4 * GIB:
        return Finding("memory", "warn", seen, "5 clients at once want 4 GiB; run fewer at a time", figures)
    return Finding("memory", "ok", seen, figures=figures)


def graphics(devices: Sequence[str] | None = None, driver: bool | None = None) -> Finding:
    """The GPUs that torch can use, and whether one is there that it cannot."""
    if devices is None:
        import torch

        devices = [
            f"{properties.name}, {properties.total_memory / GIB:.0f} GiB"
            for properties in map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
        ]
    if devices:
        return Finding("gpu", "ok", "; ".join(devices), figures={"gpus": len(devices)})
    if shutil.which("nvidia-smi") is not None if driver is None else driver:
        remedy = "update the NVIDIA driver, or in a container pass the device (docker run --gpus all)"
        return Finding("gpu", "warn", "an NVIDIA driver is here, but torch finds no device", remedy)
    return Finding("gpu", "ok", "none: everything runs on the processor; the preset `paper` is for GPUs")


def worth_of_precision(
    measure: Callable[[], tuple[float, float]] | None = None, claims_bf16: bool | None = None
) -> Finding:
    """How much faster a training step is with channels_last, and with bf16 on top of it."""
    import torch

    from common.networks.acceleration import has_bf16

    layout, bf16 = (measure or _measure)()
    if claims_bf16 is None:
        claims_bf16 = has_bf16(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    figures = {"channels_last": layout, "bf16": bf16}
    seen = f"channels_last makes a training step {layout:.1f}x as fast, bf16 on top of it {bf16:.1f}x"
    if claims_bf16 and bf16 < 1:
        remedy = "set runtime.precision = 'fp32': this machine has bf16, but gains nothing by it"
        return Finding("precision", "warn", seen, remedy, figures)
    if not claims_bf16:
        seen += " (no bf16 in hardware: left off)"
    return Finding("precision", "ok", seen, figures=figures)


def _measure(seconds: float = SECONDS) -> tuple[float, float]:
    """The best time of each way, taken in turn so that a busy machine hits all three alike."""
    import torch

    from common.networks import Discriminator
    from common.settings import NetworkConfig

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = Discriminator(NetworkConfig(width=1 / 16), outputs=1).to(device)
    patches = torch.zeros(BATCH, 1, SIDE, SIDE, device=device)

    def step(layout: torch.memory_format, *, bf16: bool) -> float:
        network.zero_grad()  # a gradient left over in the other layout would be copied
        network.to(memory_format=layout)  # type: ignore[call-overload]
        images = patches.to(memory_format=layout)
        start = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16) if bf16 else nullcontext():
            network.plainly(images).float().sum().backward()  # the chain that training runs picks its own layout
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    ways = [(torch.contiguous_format, False), (torch.channels_last, False), (torch.channels_last, True)]
    for layout, bf16 in ways:
        step(layout, bf16=bf16)
    best = [float("inf")] * len(ways)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        best = [min(sofar, step(layout, bf16=bf16)) for sofar, (layout, bf16) in zip(best, ways, strict=True)]
    return best[0] / best[1], best[1] / best[2]
