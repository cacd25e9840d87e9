"""Processor, memory, GPU and the worth of precision: every sign."""

import pytest

from simulations.inspection.finding import GIB
from simulations.inspection.machine import graphics, memory, processor, worth_of_precision

CPUINFO = "processor\t: 0\nmodel name\t: Example 9000\nflags\t\t: fpu {flags}\n"


def test_a_processor_is_told_with_what_torch_profits_from() -> None:
    finding = processor(CPUINFO.format(flags="sse2 avx2 avx512f"), cores=2)
    assert (finding.sign, finding.seen) == ("ok", "Example 9000, 2 cores usable, avx2 avx512f")


def test_a_processor_without_avx2_is_doubtful() -> None:
    assert processor(CPUINFO.format(flags="sse2"), cores=1).sign == "warn"


def test_a_machine_without_cpuinfo_is_not_judged_by_it() -> None:
    assert processor("", cores=8).sign == "ok"


@pytest.mark.parametrize(("available", "sign"), [(1 * GIB, "fail"), (3 * GIB, "warn"), (8 * GIB, "ok")])
def test_free_memory_decides(available: int, sign: str) -> None:
    assert memory(total=16 * GIB, available=available).sign == sign


def test_no_gpu_is_well_and_a_gpu_is_named() -> None:
    assert graphics([], driver=False).sign == "ok"
    assert graphics(["H200, 139 GiB"], driver=True).seen == "H200, 139 GiB"


def test_a_driver_whose_gpu_torch_cannot_use_is_doubtful() -> None:
    finding = graphics([], driver=True)
    assert (finding.sign, "driver" in (finding.remedy or "")) == ("warn", True)


def test_bf16_that_is_claimed_and_slow_is_doubtful() -> None:
    finding = worth_of_precision(lambda: (2.0, 0.5), claims_bf16=True)
    assert (finding.sign, finding.figures) == ("warn", {"channels_last": 2.0, "bf16": 0.5})
    assert "runtime.precision = 'fp32'" in (finding.remedy or "")


@pytest.mark.parametrize(("bf16", "claims"), [(1.6, True), (0.5, False)])
def test_bf16_that_pays_or_is_left_off_is_well(bf16: float, claims: bool) -> None:
    assert worth_of_precision(lambda: (2.0, bf16), claims_bf16=claims).sign == "ok"
