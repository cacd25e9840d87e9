"""Whether Flower and Ray start here, and whether they keep quiet.

Both are asked in a child process: an import that crashes or hangs is then a finding, not the end of the doctor.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulations import telemetry
from simulations.inspection.finding import Finding

SECONDS = 90
"""How long a child process may take; a cold disk needs half a minute to import Ray."""

FLOWER = """
import flwr.clientapp, flwr.serverapp
from flwr.supercore.telemetry import FLWR_TELEMETRY_ENABLED
answer = {"telemetry": FLWR_TELEMETRY_ENABLED == "1"}
"""
RAY = """
import ray
from ray._common.usage.usage_lib import usage_stats_enabled
answer = {"telemetry": usage_stats_enabled()}
"""
RAY_STARTED = (
    RAY
    + """
ray.init("local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
answer["sum"] = ray.get(ray.remote(lambda: 1 + 1).remote(), timeout=60)
ray.shutdown()
"""
)
_TELL = "\nimport json\nprint(json.dumps(answer))\n"


@dataclass(frozen=True)
class Reply:
    """What a child process answered, or why it did not."""

    answer: Mapping[str, Any] | None
    reason: str
    seconds: float


Ask = Callable[[str], Reply]


def ask(code: str, seconds: float = SECONDS) -> Reply:
    """Run code that sets `answer` in a fresh interpreter; the wait is bounded."""
    start = time.perf_counter()
    command = [sys.executable, "-c", code + _TELL]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return Reply(None, f"no answer within {seconds:g} s", seconds)
    took = time.perf_counter() - start
    if done.returncode:
        complaint = done.stderr.strip().splitlines()
        return Reply(None, complaint[-1] if complaint else f"exit status {done.returncode}", took)
    return Reply(json.loads(done.stdout.splitlines()[-1]), "", took)


def flower(ask: Ask = ask) -> Finding:
    """Whether Flower's two app sides import."""
    return _judge("flower", ask(FLOWER), "imports", "FLWR_TELEMETRY_ENABLED")


def ray(ask: Ask = ask, *, deep: bool = False) -> Finding:
    """Whether Ray imports; `deep`: whether it starts, computes and stops."""
    if deep:
        return _judge("ray", ask(RAY_STARTED), "starts, computes and stops", "RAY_USAGE_STATS_ENABLED")
    return _judge("ray", ask(RAY), "imports", "RAY_USAGE_STATS_ENABLED")


def telemetry_switches(environment: Mapping[str, str] = os.environ) -> Finding:
    """Whether every switch against calling home is thrown in this process."""
    if on := telemetry.still_on(environment):
        remedy = "start through `eyesoff`, or " + " ".join(f"export {name}={telemetry.SWITCHES[name]};" for name in on)
        return Finding("telemetry", "fail", f"not switched off: {', '.join(on)}", remedy.rstrip(";"))
    return Finding("telemetry", "ok", f"off ({len(telemetry.SWITCHES)} switches, inherited by every process)")


def _judge(name: str, reply: Reply, done: str, switch: str) -> Finding:
    figures = {"seconds": round(reply.seconds, 2)}
    if reply.answer is None:
        if reply.reason.startswith("ModuleNotFoundError"):
            remedy = "without it only the serial backend runs; `make install` brings it"
            return Finding(name, "warn", f"not installed: {reply.reason}", remedy, figures)
        remedy = "run `make install`; where it hangs, free /dev/shm and stop old Ray processes with `ray stop`"
        return Finding(name, "fail", reply.reason, remedy, figures)
    if reply.answer["telemetry"]:
        remedy = f"start through `eyesoff`, or export {switch}={telemetry.SWITCHES[switch]}"
        return Finding(name, "fail", "its telemetry is on", remedy, figures)
    return Finding(name, "ok", f"{done} in {reply.seconds:.1f} s, its telemetry is off", figures=figures)
