"""What `eyesoff doctor` looks at: one plain function a question, each answered by a finding.

Owns the questions and their order. Must not know how findings are shown.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from simulations.inspection.federation import flower, ray, telemetry_switches
from simulations.inspection.finding import Finding, Sign
from simulations.inspection.machine import graphics, memory, processor, worth_of_precision
from simulations.inspection.software import audio, extras, packages, python
from simulations.inspection.space import disk, shared_memory

__all__ = ["Finding", "Sign", "inspect"]


def inspect(cache: Path, runs: Path, *, deep: bool = False) -> Iterator[Finding]:
    """Every finding in turn; `deep` starts a real Ray, which takes some ten seconds more."""
    questions: list[Callable[[], Finding]] = [
        python,
        packages,
        extras,
        audio,
        processor,
        memory,
        graphics,
        worth_of_precision,
        flower,
        lambda: ray(deep=deep),
        telemetry_switches,
        lambda: disk(cache, "cache"),
        lambda: disk(runs, "runs"),
        shared_memory,
    ]
    for question in questions:
        yield question()
