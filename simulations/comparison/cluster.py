"""Units as tasks of a Ray cluster that is there already; the only place that knows Ray.

Owns what travels: a unit with the folders of those that it needs goes out, its own folder comes back, both through
Ray's object store, so that nodes share no disk with this process. The speech, its features and the networks are read on
each node, at the same paths as here. Must not know which unit comes when, nor what one computes.

A node that dies takes its tasks with it, and Ray begins them again elsewhere. What has come back lies in the store.
"""

import io
import logging
import multiprocessing
import os
import signal
import socket
import tarfile
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import ray

from common.errors import UserError
from common.files import atomic_write
from common.training.pretrained import pretrained_hash
from common.training.reporters import Reporter
from common.version import VERSION
from simulations.comparison.job import Job
from simulations.comparison.setting import Setting
from simulations.comparison.store import CARD, Store
from simulations.comparison.units import Unit
from simulations.comparison.workers import EVERY, UnitState

ADDRESS = "RAY_ADDRESS"
RETRIES = 5
"""Nodes that a task may lose before its unit fails."""
GONE_AFTER = 10.0
"""Seconds without an answer after which the cluster counts as gone; Ray would end this process after a minute."""
LOOK_SECONDS = 120.0
REMEDY = "the same command goes on from here, on whichever cluster it finds"


class Cluster:
    """A cluster's workers. A process of its own calls Ray, for Ray ends its caller when the cluster goes away."""

    def __init__(self, setting: Setting, store: Store, do: Callable[[Job], str], need: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        arguments = (theirs, replace(setting), store, do, need)
        self._process = context.Process(target=_answer_calls, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self._answer()

    def size(self) -> int:
        """How many units it can compute at once now."""
        return int(self._ask("size"))

    def idle(self) -> int:
        """How many more units can be taken now."""
        return int(self._ask("idle"))

    def submit(self, unit: Unit) -> None:
        """Hand a unit to whichever node is free."""
        self._ask("submit", unit)

    def poll(self) -> list[UnitState]:
        """What has come back within half a second."""
        return list(self._ask("poll"))

    def close(self) -> None:
        """Let go of the cluster; what is at work there ends."""
        with suppress(UserError):
            self._ask("close")
        self._line.close()
        self._process.terminate()
        self._process.join()

    def _ask(self, what: str, *words: object) -> Any:
        with suppress(OSError):  # whoever does not listen does not answer either
            self._line.send((what, words))
        return self._answer()

    def _answer(self) -> Any:
        try:
            answer, problem = self._line.recv()
        except (EOFError, OSError):
            raise UserError("the Ray cluster is gone", remedy=REMEDY) from None
        if problem:
            raise UserError(problem)
        return answer


def _answer_calls(line: Connection, setting: Setting, store: Store, do: Callable[[Job], str], need: int) -> None:
    """Answer every question until there are no more; a mistake of the reader's is an answer too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        tasks = _Tasks(setting, store, do, need)
        line.send((None, ""))
        while True:
            what, words = line.recv()
            line.send((getattr(tasks, what)(*words), ""))
    except UserError as error:
        line.send((None, str(error)))
    except (EOFError, OSError):
        return


class _Tasks:
    """The workers are the cluster's, as many at once as it has processors, or shares of its GPUs."""

    def __init__(self, setting: Setting, store: Store, do: Callable[[Job], str], need: int) -> None:
        self._store = store
        named = os.environ.get(ADDRESS, "auto")
        remedy = f"start one with `ray start --head`, or name one by {ADDRESS}"
        if named.rpartition(":")[2].isdigit() and "//" not in named and not _listens(named):
            raise UserError("no Ray cluster", where=named, remedy=remedy)  # Ray itself would try for minutes
        try:
            with warnings.catch_warnings():  # of what Ray will do otherwise in later versions
                warnings.simplefilter("ignore", FutureWarning)
                ray.init(named, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise UserError("no Ray cluster", where=named, remedy=remedy) from error
        self._address = str(ray.get_runtime_context().gcs_address)
        self._answered = time.monotonic()
        self._share = self._look_at_nodes(setting, need)
        self._setting, self._do = ray.put(replace(setting)), do
        self._folders: dict[str, Any] = {}
        self._at_work: dict[Any, Unit] = {}

    def size(self) -> int:
        """How many units it can compute at once now."""
        there: dict[str, float] = ray.cluster_resources()
        return max(int(there.get("GPU", 0) / self._share) if self._share else int(there.get("CPU", 0)), 1)

    def idle(self) -> int:
        """How many more units can be taken now; an error, if the cluster is gone."""
        if not self._is_there():
            raise UserError("the Ray cluster is gone", where=self._address, remedy=REMEDY)
        return self.size() - len(self._at_work)

    def submit(self, unit: Unit) -> None:
        """Hand a unit to whichever node is free, with what it needs."""
        task = _remote(_compute, num_cpus=1, num_gpus=self._share, max_retries=RETRIES)
        needed = {need.key: self._folder(need) for need in unit.needs}
        self._at_work[task.remote(self._setting, unit, self._do, list(needed), *needed.values())] = unit

    def poll(self) -> list[UnitState]:
        """What has come back within half a second."""
        done, _ = ray.wait(list(self._at_work), num_returns=1, timeout=EVERY)
        return [self._take(reference) for reference in done]

    def close(self) -> None:
        """Let go of the cluster; what is at work there ends."""
        for reference in self._at_work if self._is_there() else ():
            ray.cancel(reference, force=True)
        ray.shutdown()

    def _take(self, reference: Any) -> UnitState:
        unit = self._at_work.pop(reference)
        try:
            reason, folder = ray.get(reference)
        except ray.exceptions.RayError as error:
            return UnitState(unit, reason=f"its task was lost: {str(error).strip().splitlines()[0]}")
        if folder:
            unpack(folder, self._store.where(unit))
        return UnitState(unit, done=not reason, reason=reason)

    def _folder(self, unit: Unit) -> Any:
        """Of a unit that is done, once in the object store for all that need it."""
        if unit.key not in self._folders:
            self._folders[unit.key] = ray.put(pack(self._store.where(unit)))
        return self._folders[unit.key]

    def _is_there(self) -> bool:
        """Whether its head still listens: asked here, for Ray waits in silence."""
        if not _listens(self._address):
            return time.monotonic() - self._answered < GONE_AFTER
        self._answered = time.monotonic()
        return True

    def _look_at_nodes(self, setting: Setting, need: int) -> float:
        """The share of a GPU that a unit takes; an error, if a node lacks what all of them must have."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        wanted = (VERSION, str(setting.manifest.root), str(setting.base), setting.base_hash)
        nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
        looks = {}
        for node in nodes:
            gpus = 0.01 if setting.config.runtime.device != "cpu" and node["Resources"].get("GPU") else 0
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            task = _remote(_look, num_cpus=0, num_gpus=gpus, scheduling_strategy=there)
            looks[node["NodeManagerAddress"]] = task.remote(*wanted)
        try:
            found: Mapping[str, tuple[str, int]] = {
                name: ray.get(reference, timeout=LOOK_SECONDS) for name, reference in looks.items()
            }
        except ray.exceptions.RayError as error:
            told = str(error).strip().splitlines()[-1]
            raise UserError("a node of the Ray cluster cannot be used", where=self._address, remedy=told) from None
        for name, (problem, _) in found.items():
            if problem:
                remedy = "put speech, cache and networks under the same paths on every node, and the same eyesoff"
                raise UserError(f"a node of the Ray cluster {problem}", where=name, remedy=remedy)
        memory = [size for _, size in found.values() if size]
        return min(need / min(memory), 1.0) if memory else 0.0


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=EVERY).close()
    except OSError:
        return False
    return True


def _remote(function: Callable[..., Any], **options: Any) -> Any:
    """As a task; Ray's own types know nothing of most options."""
    return ray.remote(**options)(function)


def _look(version: str, speech: str, base: str, weights: str) -> tuple[str, int]:
    """On a node: what it lacks, or nothing, and the bytes of its smallest GPU."""
    import torch

    problem = ""
    if version != VERSION:
        problem = f"has eyesoff {VERSION}, not {version}"
    elif not Path(speech).is_dir():
        problem = f"lacks the speech in {speech}"
    else:
        try:
            problem = "" if pretrained_hash(Path(base)) == weights else f"has other networks in {base}"
        except UserError:
            problem = f"lacks the networks in {base}"
    devices = range(torch.cuda.device_count() if torch.cuda.is_available() else 0)
    return problem, min((torch.cuda.get_device_properties(one).total_memory for one in devices), default=0)


def _compute(
    setting: Setting, unit: Unit, do: Callable[[Job], str], keys: Sequence[str], *folders: bytes
) -> tuple[str, bytes]:
    """On a node: why the unit failed, or its folder."""
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="eyesoff-units-") as place:
        store = Store(Path(place))
        needs = {need.key: need for need in unit.needs}
        for key, folder in zip(keys, folders, strict=True):
            unpack(folder, store.where(needs[key]))
        reason = do(Job(unit, setting, store, Reporter(), lambda: False))
        return reason, pack(store.where(unit))


def pack(folder: Path) -> bytes:
    """A folder's files as one."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.add(path, path.relative_to(folder).as_posix(), recursive=False)
    return content.getvalue()


def unpack(packed: bytes, folder: Path) -> None:
    """The same files in a folder here; a unit's card comes last, for it says that the others are there."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in sorted(archive.getmembers(), key=lambda one: one.name == CARD):
            path, content = (folder / member.name).resolve(), archive.extractfile(member)
            if content is None or not path.is_relative_to(folder.resolve()):
                raise UserError("a node sent something else than a folder of files", where=member.name)
            atomic_write(path, content.read())
