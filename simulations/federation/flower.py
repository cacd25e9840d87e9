"""Flower on this machine: a SuperLink of the run's own, the app submitted to it, and both gone at the end.

Owns the processes, their environment and the truth about how a run ended. Must not know what the app does.

A SuperLink of one's own, rather than the one that `flwr run` leaves behind: its working directory is neutral, since
Ray's workers import from there first, and nothing outlives the run.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.errors import UserError
from simulations import telemetry
from simulations.federation.resources import Plan

APP = Path(__file__).resolve().parents[2]
"""The folder whose pyproject.toml describes the Flower app."""
FEDERATION = "eyesoff"
STARTS, RAY_IS_LATE = 3, "timed out during startup"
"""Ray gives its own agents a quarter of a minute to appear, which a busy machine lacks: then it is tried again."""
START_SECONDS, STOP_SECONDS, COMMAND_SECONDS = 60.0, 20.0, 120.0
ASK_EVERY = 20.0
"""Seconds between questions to Flower about the run: each starts a process, so the run's own files are read instead."""


@dataclass(frozen=True)
class SuperLink:
    """A running SuperLink."""

    address: str
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    log: Path


def simulate(run: Path, plan: Plan, outcome: Path, watch: Callable[[], None]) -> None:
    """Submit the app for the campaign in `run` and wait for its end; any end but success is an error that says why."""
    with superlink(run.resolve() / "flower") as link:
        for _ in range(STARTS):
            number = _submit(link, run, plan)
            status = _follow(link, number, outcome, watch)
            log = _keep_log(link, number)
            if status == "finished:completed" or RAY_IS_LATE not in _reason(log):
                break
    if status != "finished:completed":
        remedy = _reason(log) or "its last lines say why; --backend serial --debug shows it here"
        raise UserError(f"the campaign ended as {status or 'unknown'}", where=log, remedy=remedy)


@contextmanager
def superlink(folder: Path) -> Iterator[SuperLink]:
    """A SuperLink with the simulation runtime on a free loopback port; it and all its children end with the block."""
    home, neutral, log = folder / "home", folder / "empty", folder / "superlink.log"
    for directory in (home, neutral):
        directory.mkdir(parents=True, exist_ok=True)
    address = f"127.0.0.1:{_free_port()}"
    home_file = (
        f'[superlink]\ndefault = "{FEDERATION}"\n\n[superlink.{FEDERATION}]\naddress = "{address}"\ninsecure = true\n'
    )
    (home / "config.toml").write_text(home_file, encoding="utf-8")
    environment = os.environ | telemetry.SWITCHES
    environment |= {
        "FLWR_HOME": str(home),
        "FLWR_SUPEREXEC_TASK_POLL_INTERVAL": "0.2",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    host, port = address.split(":")
    command = ["flower-superlink", "--insecure", "--simulation", "--host", host, "--port", port]
    command += ["--disable-runtime-dependency-installation"]
    with log.open("ab") as stream:
        process = subprocess.Popen(
            command, cwd=neutral, env=environment, stdout=stream, stderr=stream, start_new_session=True
        )
    link = SuperLink(address, environment, process, log)
    try:
        _await_health(link)
        yield link
    finally:
        _stop(process)
        shutil.rmtree(home / "apps", ignore_errors=True)


def _await_health(link: SuperLink) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if link.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://{link.address}/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise UserError(
        "Flower's SuperLink does not start", where=link.log, remedy="its log says why; `eyesoff doctor --deep` looks"
    )


def _submit(link: SuperLink, run: Path, plan: Plan) -> str:
    federation = [
        f"num-supernodes={plan.clients}",
        f"client-resources-num-cpus={plan.threads}",
        "init-args-log-to-driver=false",
    ]
    if "RAY_ADDRESS" not in os.environ:  # an existing cluster has its own count
        federation.append(f"init-args-num-cpus={plan.at_once * plan.threads}")
    if plan.gpus:
        federation.append(f"client-resources-num-gpus={plan.gpus}")
    command = ["run", str(APP), FEDERATION, "--format", "json"]
    command += ["--run-config", f"run={json.dumps(str(run.resolve()))}", "--federation-config", " ".join(federation)]
    told = _flwr(link, command)
    if "run-id" not in told:
        raise UserError("Flower did not take the run", where=link.log, remedy=str(told)[:300])
    return str(told["run-id"])


def _follow(link: SuperLink, number: str, outcome: Path, watch: Callable[[], None]) -> str:
    """Look at the run's files often and ask Flower seldom, but at once when there is an outcome."""
    asked = time.monotonic()
    while True:
        watch()
        if link.process.poll() is not None:
            return "SuperLink died"
        if outcome.exists() or time.monotonic() - asked > ASK_EVERY:
            asked = time.monotonic()
            status = _status(link, number)
            if status.startswith("finished"):
                return status
        time.sleep(0.3)


def _status(link: SuperLink, number: str) -> str:
    runs = _flwr(link, ["list", FEDERATION, "--run-id", number, "--format", "json"]).get("runs", [])
    return str(runs[0].get("status", "")) if runs else ""


def _flwr(link: SuperLink, words: list[str]) -> dict[str, Any]:
    done = subprocess.run(
        ["flwr", *words],
        env=link.environment,
        cwd=APP,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    try:
        told: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        complaint = (done.stderr or done.stdout).strip().splitlines()
        raise UserError(f"`flwr {words[0]}` failed", where=link.log, remedy=" ".join(complaint[-3:])[:300]) from None
    return told


def _keep_log(link: SuperLink, number: str) -> Path:
    """What the app and its clients wrote, which Flower keeps to itself until it is asked."""
    words = ["flwr", "log", number, FEDERATION, "--show"]
    log = link.log.with_name("app.log")
    with log.open("wb") as stream:
        subprocess.run(words, env=link.environment, stdout=stream, stderr=stream, timeout=COMMAND_SECONDS, check=False)
    return log


def _reason(log: Path) -> str:
    """The last error that the app wrote down for people, or what Ray says of itself."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    told = [line for line in lines if "UserError: " in line] or [line for line in lines if "Exception: " in line]
    return told[-1].split(": ", 1)[-1].strip() if told else ""


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask, wait, then insist; Flower's and Ray's children share the process group."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            return
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
