"""The workers that compute units: processes that live for many of them, or this process.

Owns the processes and their messages, and that none outlives the comparison. Must not know the order of the units.

A worker that dies takes its unit with it and is replaced. One whose parent died stops at its next step.
"""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

from common.training.interruption import Stop
from common.training.phases import Interrupted
from common.training.reporters import Reporter
from simulations.comparison.job import Job
from simulations.comparison.setting import Setting
from simulations.comparison.store import Store
from simulations.comparison.units import Unit

Tell = Callable[[int, int, Mapping[str, float]], object]
"""Step and steps of the unit at work, and what its training told there."""
PATIENCE = 60.0
"""Seconds that a worker has to finish its step and keep it."""
EVERY = 0.5
LEAST = 19
"""The niceness of work that takes only what others leave."""
AUTOGROUP = Path("/proc/self/autogroup")
"""Where Linux keeps a session's niceness, which goes before that of its processes."""


@dataclass(frozen=True)
class UnitState:
    """Where a unit stands: done, failed for a reason, or at a step of its work."""

    unit: Unit
    done: bool = False
    reason: str = ""
    step: int = 0
    steps: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict, compare=False)


class Workers(Protocol):
    """What computes units: it takes some, says how they stand, and ends when it is closed."""

    def idle(self) -> int:
        """How many more units can be taken now."""
        ...

    def submit(self, unit: Unit) -> None:
        """Begin with a unit."""
        ...

    def poll(self) -> list[UnitState]:
        """The units whose state has changed, after a short wait."""
        ...

    def close(self) -> None:
        """Stop whatever is at work, at a step that is kept, and end."""
        ...


class Steps(Reporter):
    """Passes on how far a unit is, not more often than somebody can look."""

    def __init__(self, tell: Tell) -> None:
        self._tell, self._steps, self._told = tell, 0, 0.0

    def begin(self, stage: str, first: int, iterations: int) -> None:
        """A stage begins, or is looked at again."""
        self._steps = iterations
        self._pass_on(first, {})

    def record(self, stage: str, step: int, metrics: Mapping[str, float]) -> None:
        """A stage goes on."""
        self._pass_on(step, metrics)

    def _pass_on(self, step: int, metrics: Mapping[str, float]) -> None:
        if time.monotonic() - self._told >= EVERY:
            self._told = time.monotonic()
            self._tell(step, self._steps, metrics)


class Alone:
    """This process, a unit at a time: for debugging, and where a process more is too much."""

    def __init__(self, setting: Setting, store: Store, do: Callable[[Job], str], stop: Callable[[], bool]) -> None:
        self._setting, self._store, self._do, self._stop = setting, store, do, stop
        self._unit: Unit | None = None
        self.tell: Callable[[UnitState], object] = lambda _: None
        """Is told how far the unit is, for `poll` comes back at its end alone."""

    def idle(self) -> int:
        """One at the most."""
        return int(self._unit is None)

    def submit(self, unit: Unit) -> None:
        """Take it."""
        self._unit = unit

    def poll(self) -> list[UnitState]:
        """Compute it, from beginning to end."""
        unit, self._unit = self._unit, None
        if unit is None:
            return []
        steps = Steps(lambda step, steps, metrics: self.tell(UnitState(unit, step=step, steps=steps, metrics=metrics)))
        try:
            reason = self._do(Job(unit, self._setting, self._store, steps, self._stop))
        except Interrupted:
            return []
        return [UnitState(unit, done=not reason, reason=reason)]

    def close(self) -> None:
        """Nothing is at work between units."""


@dataclass
class _Worker:
    process: BaseProcess
    line: Connection
    unit: Unit | None = None


class Processes:
    """So many worker processes; yielding ones take only what others leave of the processors."""

    def __init__(
        self, size: int, setting: Setting, store: Store, do: Callable[[Job], str], *, yielding: bool = False
    ) -> None:
        # What a setting has looked up is looked up again by each process: maps of files do not travel.
        self._arguments = (replace(setting), store, do, yielding)
        self._workers = [self._start() for _ in range(size)]

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, os.getpid(), *self._arguments), daemon=True)
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # from its first moment on, Ctrl-C is not for the worker
        process.start()
        signal.signal(signal.SIGINT, before)
        theirs.close()
        return _Worker(process, ours)

    def idle(self) -> int:
        """Those without a unit."""
        return sum(worker.unit is None for worker in self._workers)

    def submit(self, unit: Unit) -> None:
        """To the first worker that has none."""
        worker = next(worker for worker in self._workers if worker.unit is None)
        worker.unit = unit
        with suppress(OSError):  # it has just died, which `poll` finds at the end of its line
            worker.line.send(unit)

    def poll(self, patience: float = EVERY) -> list[UnitState]:
        """The units of all workers that send a message within half a second."""
        lines = {worker.line: worker for worker in self._workers}
        told = (line for line in wait(list(lines), timeout=patience) if isinstance(line, Connection))
        states = [self._receive(lines[line]) for line in told]
        return [state for state in states if state is not None]

    def _receive(self, worker: _Worker) -> UnitState | None:
        try:
            step, steps, reason, metrics = worker.line.recv()
        except (EOFError, OSError):
            return self._replace(worker)
        unit = worker.unit
        if unit is None:
            return None
        if steps is not None:
            return UnitState(unit, step=step, steps=steps, metrics=metrics)
        worker.unit = None
        return UnitState(unit, done=not reason, reason=reason)

    def _replace(self, worker: _Worker) -> UnitState | None:
        worker.process.join(PATIENCE)
        worker.line.close()
        self._workers[self._workers.index(worker)] = self._start()
        return None if worker.unit is None else UnitState(worker.unit, reason=_ending(worker.process.exitcode))

    def close(self) -> None:
        """Ask all to stop, wait, and end those that do not."""
        for worker in self._workers:
            if worker.unit is not None:
                worker.process.terminate()
            # Whoever waits for a unit is told that none will come, too if nobody has heard yet that its last is done.
            worker.line.close()
        deadline = time.monotonic() + PATIENCE
        for worker in self._workers:
            worker.process.join(max(deadline - time.monotonic(), 0.0))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers = []


def _ending(status: int | None) -> str:
    if status == -signal.SIGKILL:
        return "its process was killed by the system: too little memory? Run fewer at once with --workers"
    return f"its process ended with signal {-status}" if status and status < 0 else f"its process ended ({status})"


def _yield_to_others() -> None:
    os.setsid()  # a group of its own, for Linux ranks the whole group
    os.nice(LEAST)
    with suppress(OSError):  # elsewhere niceness alone decides
        AUTOGROUP.write_text(str(LEAST), encoding="utf-8")


def _work(
    line: Connection, parent: int, setting: Setting, store: Store, do: Callable[[Job], str], yielding: bool
) -> None:
    """Units until none comes, each told of by its steps and its end."""
    import torch

    if yielding:
        _yield_to_others()
    torch.set_num_threads(1)
    asked = Stop()
    signal.signal(signal.SIGTERM, asked.request)

    def stop() -> bool:
        return asked() or os.getppid() != parent

    def tell(step: int, steps: int, metrics: Mapping[str, float]) -> None:
        with suppress(OSError):  # a parent that has gone is noticed by `stop`
            line.send((step, steps, "", dict(metrics)))

    try:
        while not stop():
            unit = line.recv()
            reason = do(Job(unit, setting, store, Steps(tell), stop))
            line.send((0, None, reason, {}))
    except (EOFError, OSError, Interrupted):
        return
