"""Processes that are kept alive: started with a log each, started again when they die, ended together.

Owns that. Must not know what they are. It does what restart policies do for containers.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from simulations.federation.flower import stop_group

FIRST_WAIT, LONGEST_WAIT, LONG_LIFE = 1.0, 16.0, 60.0
"""Seconds before one that died is started again, doubling at most to, and from which age on it counts as well."""


@dataclass
class Worker:
    """One process, and what is needed to start it again."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes]
    began: float
    wait: float = FIRST_WAIT
    due: float | None = None


@dataclass
class Processes:
    """Named processes, each in a session of its own, so that its children end with it."""

    folder: Path
    workers: dict[str, Worker] = field(default_factory=dict)

    def start(self, name: str, words: tuple[str, ...], environment: Mapping[str, str]) -> None:
        """Start one, with its log in the folder."""
        log = self.folder / "logs" / f"{name}.log"
        self.workers[name] = Worker(words, environment, log, self._spawn(name, words, environment, log), _now())

    def tend(self) -> list[str]:
        """Start again whatever died, each time a little later; the answer has a line for each death."""
        told = []
        for name, worker in list(self.workers.items()):
            status = worker.process.poll()
            if status is None:
                continue
            if worker.due is None:
                worker.wait = FIRST_WAIT if _now() - worker.began > LONG_LIFE else worker.wait
                worker.due = _now() + worker.wait
                told.append(f"{name} ended with {status}; again in {worker.wait:g} s ({worker.log})")
                worker.wait = min(2 * worker.wait, LONGEST_WAIT)
            elif _now() > worker.due:
                stop_group(worker.process)  # children that it left behind
                worker.process = self._spawn(name, worker.words, worker.environment, worker.log)
                worker.began, worker.due = _now(), None
        return told

    def send(self, name: str, sign: signal.Signals) -> None:
        """Signal one with all its children."""
        os.killpg(self.workers[name].process.pid, sign)

    def drop(self, name: str) -> None:
        """End one for good."""
        stop_group(self.workers.pop(name).process)

    def stop(self) -> None:
        """End all, the last one first; all are asked before any is waited for."""
        for worker in reversed(self.workers.values()):
            if worker.process.poll() is None:
                os.killpg(worker.process.pid, signal.SIGTERM)
        for name in reversed(list(self.workers)):
            self.drop(name)

    def _spawn(
        self, name: str, words: tuple[str, ...], environment: Mapping[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        empty = self.folder / "empty" / name  # nothing is imported from a working directory
        for folder in (log.parent, empty):
            folder.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as stream:
            return subprocess.Popen(
                words, cwd=empty, env=dict(environment), stdout=stream, stderr=stream, start_new_session=True
            )


def _now() -> float:
    return time.monotonic()
