"""A run handed to a SuperLink, and the truth about how it ended; the SuperLink may be ours or far away.

Owns the way `flwr` is called and what it is asked. Must not know who started the SuperLink, nor what the app does.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.errors import UserError
from common.files import atomic_write
from simulations import telemetry

APP = Path(__file__).resolve().parents[2]
"""The folder whose pyproject.toml describes the Flower app."""
FEDERATION = "eyesoff"
COMPLETED = "finished:completed"
COMMAND_SECONDS = 120.0
LISTENER_SECONDS = 5.0
ASK_EVERY = 45.0
"""Seconds between questions to Flower about the run: each starts a process, so the run's own files are read instead."""

LOOK_EVERY = 0.2
"""Seconds between two looks of Flower's processes for work, where there are few of them."""


@dataclass(frozen=True)
class Connection:
    """The way to a SuperLink's control interface."""

    address: str
    environment: dict[str, str]
    log: Path
    """Where a person reads on when something went wrong."""

    def ask(self, words: Sequence[str]) -> dict[str, Any]:
        """What `flwr` answers in JSON; without any, its complaint is the error."""
        command = ["flwr", *words]
        try:
            done = subprocess.run(
                command,
                env=self.environment,
                cwd=APP,
                capture_output=True,
                text=True,
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            remedy = f"`flwr {words[0]}` had no answer in {COMMAND_SECONDS:g} seconds"
            raise UserError("the SuperLink does not answer", where=self.address, remedy=remedy) from None
        try:
            told: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            self.require_listener()
            complaint = " ".join((done.stderr or done.stdout).split())[-300:]
            raise UserError(f"`flwr {words[0]}` failed", where=self.log, remedy=complaint) from None
        return told

    def require_listener(self) -> None:
        """That anybody is there, for what `flwr` says where nobody is speaks of its configuration file."""
        host, _, port = self.address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=LISTENER_SECONDS).close()
        except OSError:
            remedy = "start the server first: `eyesoff deploy local` for a rehearsal, or its containers"
            raise UserError("nobody listens", where=self.address, remedy=remedy) from None

    def submit(self, run: Path, options: Sequence[str] = (), *, lost_after: float = 0.0) -> str:
        """Hand in the app for the campaign in a directory; the answer is the run's number.

        A request without an answer counts as lost after so many seconds; 0: never, for where a client's work is done
        before it answers, nobody knows how long that takes.
        """
        command = ["run", str(APP), FEDERATION, "--format", "json", *options]
        settings = f"run={json.dumps(str(run.resolve()))} lost-after={lost_after}"
        told = self.ask([*command, "--run-config", settings])
        if "run-id" not in told:
            raise UserError("Flower did not take the run", where=self.log, remedy=str(told)[:300])
        return str(told["run-id"])

    def status(self, number: str) -> str:
        """How a run is, in Flower's words."""
        runs = self.ask(["list", FEDERATION, "--run-id", number, "--format", "json"]).get("runs", [])
        return str(runs[0].get("status", "")) if runs else ""

    def follow(self, number: str, outcome: Path, watch: Callable[[], None], *, patience: float = 0.0) -> str:
        """Look at the run's files often and ask Flower seldom, but at once when there is a new outcome.

        A SuperLink that does not answer is asked again for `patience` seconds: it may be starting anew.
        """
        asked = heard = time.monotonic()
        before = _moment(outcome)
        while True:
            watch()
            now = time.monotonic()
            if (moment := _moment(outcome)) != before or now - asked > ASK_EVERY:
                asked, before = now, moment
                try:
                    status = self.status(number)
                    heard = time.monotonic()
                except UserError:
                    if time.monotonic() - heard > patience + ASK_EVERY:
                        raise
                    status = ""
                if status.startswith("finished"):
                    return status
                before = None if moment else before  # its outcome is there: ask again, Flower is about to know
            time.sleep(0.3)

    def keep_log(self, number: str) -> Path:
        """What the app and its clients wrote, which Flower keeps to itself until it is asked."""
        words = ["flwr", "log", number, FEDERATION, "--show"]
        log = self.log.with_name("app.log")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as stream:
            subprocess.run(
                words, env=self.environment, stdout=stream, stderr=stream, timeout=COMMAND_SECONDS, check=False
            )
        return log


def connect(home: Path, address: str, log: Path, authority: Path | None = None) -> Connection:
    """A connection with a Flower home of its own; without an authority it is in plain text, for loopback alone."""
    trust = "insecure = true" if authority is None else f"root-certificates = {json.dumps(str(authority.resolve()))}"
    entry = (
        f'[superlink]\ndefault = "{FEDERATION}"\n\n[superlink.{FEDERATION}]\naddress = {json.dumps(address)}\n{trust}\n'
    )
    atomic_write(home / "config.toml", entry.encode())
    return Connection(address, flower_environment(home), log)


def flower_environment(home: Path, *, look_every: float = LOOK_EVERY) -> dict[str, str]:
    """What every process of Flower's is given: a home of its own, our programs, and no leave to call anybody.

    It looks for work every so many seconds: a server's often, since it is one; of relays there are many. Flower starts
    a process for each message and gives it half a minute to come up, so Python may keep what it has compiled.
    """
    own = {"FLWR_HOME": str(home), "FLWR_SUPEREXEC_TASK_POLL_INTERVAL": f"{look_every:g}"}
    own |= {"PYTHONDONTWRITEBYTECODE": ""}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return os.environ | telemetry.SWITCHES | own | {"PATH": path}


def reason_of(log: Path) -> str:
    """The last error that the app wrote down for people, or what Ray says of itself."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    told = [line for line in lines if "UserError: " in line] or [line for line in lines if "Exception: " in line]
    return told[-1].split(": ", 1)[-1].strip() if told else ""


def _moment(path: Path) -> int | None:
    return path.stat().st_mtime_ns if path.exists() else None
