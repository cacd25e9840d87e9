"""Flower on this machine: a SuperLink of the run's own, the app submitted to it, and both gone at the end.

Owns the processes, their environment and the truth about how a run ended. Must not know what the app does.

A SuperLink of one's own, rather than the one that `flwr run` leaves behind: its working directory is neutral, since
Ray's workers import from there first, and nothing outlives the run.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from common.errors import UserError
from simulations.federation.resources import Plan
from simulations.federation.submission import COMPLETED, Connection, connect, reason_of

STARTS, RAY_IS_LATE = 3, "timed out during startup"
"""Ray gives its own agents a quarter of a minute to appear, which a busy machine lacks: then it is tried again."""
START_SECONDS, STOP_SECONDS = 60.0, 20.0


@dataclass(frozen=True)
class SuperLink:
    """A running SuperLink, and the way to it."""

    connection: Connection
    process: subprocess.Popen[bytes]


def simulate(run: Path, plan: Plan, outcome: Path, watch: Callable[[], None]) -> None:
    """Submit the app for the campaign in `run` and wait for its end; any end but success is an error that says why."""
    with superlink(run.resolve() / "flower") as link:

        def look() -> None:
            watch()
            if link.process.poll() is not None:
                raise UserError("Flower's SuperLink died", where=link.connection.log, remedy="its log says why")

        for _ in range(STARTS):
            number = link.connection.submit(run, resources_for(plan))
            status = link.connection.follow(number, outcome, look)
            log = link.connection.keep_log(number)
            if status == COMPLETED or RAY_IS_LATE not in reason_of(log):
                break
    if status != COMPLETED:
        remedy = reason_of(log) or "its last lines say why; --backend serial --debug shows it here"
        raise UserError(f"the campaign ended as {status or 'unknown'}", where=log, remedy=remedy)


@contextmanager
def superlink(folder: Path) -> Iterator[SuperLink]:
    """A SuperLink with the simulation runtime on a free loopback port; it and all its children end with the block."""
    home, neutral, log = folder / "home", folder / "empty", folder / "superlink.log"
    for directory in (home, neutral):
        directory.mkdir(parents=True, exist_ok=True)
    connection = connect(home, f"127.0.0.1:{free_port()}", log)
    connection.environment.update(ray_environment())
    host, port = connection.address.split(":")
    command = ["flower-superlink", "--insecure", "--simulation", "--host", host, "--port", port]
    command += ["--disable-runtime-dependency-installation"]
    with log.open("ab") as stream:
        process = subprocess.Popen(
            command, cwd=neutral, env=connection.environment, stdout=stream, stderr=stream, start_new_session=True
        )
    link = SuperLink(connection, process)
    try:
        _await_health(link)
        yield link
    finally:
        stop_group(process)
        shutil.rmtree(home / "apps", ignore_errors=True)


def _await_health(link: SuperLink) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if link.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://{link.connection.address}/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise UserError(
        "Flower's SuperLink does not start",
        where=link.connection.log,
        remedy="its log says why; `eyesoff doctor --deep` looks",
    )


def ray_environment() -> dict[str, str]:
    """What Ray is told besides. Where no cluster is named it starts its own, and takes none that it finds here."""
    found = {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    return found if os.environ.get("RAY_ADDRESS") else found | {"RAY_ADDRESS": "local"}


def resources_for(plan: Plan) -> list[str]:
    """What Flower is told of a plan, as words of its command."""
    federation = [
        f"num-supernodes={plan.clients}",
        f"client-resources-num-cpus={plan.threads}",
        "init-args-log-to-driver=false",
    ]
    if not os.environ.get("RAY_ADDRESS"):  # an existing cluster has its own count
        federation.append(f"init-args-num-cpus={plan.at_once * plan.threads}")
    if plan.gpus:
        federation.append(f"client-resources-num-gpus={plan.gpus}")
    return ["--federation-config", " ".join(federation)]


def stop_group(process: subprocess.Popen[bytes]) -> None:
    """Ask, wait, then insist; Flower's and Ray's children share the process group, or end with their parent."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            return
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
