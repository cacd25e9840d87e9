"""The whole deployment as plain processes on loopback: the same commands, TLS, keys and proxy, without containers.

Owns which processes there are and in what order they start. Their words are in `commands`.
"""

import logging
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from client.service import RemoteKeeper
from common.errors import UserError
from simulations.deployment import commands
from simulations.deployment.health import is_healthy
from simulations.deployment.layout import Layout
from simulations.deployment.processes import Processes
from simulations.deployment.registry import Registry
from simulations.deployment.settings import Settings
from simulations.federation.flower import free_port
from simulations.federation.submission import LOOK_EVERY, Connection, connect, flower_environment

LOOPBACK = "127.0.0.1"
START_SECONDS = 120.0
DATABASE = "flower.db"
RELAYS_LOOK = 2.0
"""Seconds between two looks of a relay for work: at five a second, twenty of them on two cores do nothing else."""

log = logging.getLogger(__name__)


class LocalDeployment:
    """Every process of a deployment on this machine. A site's processes can be started apart from the server's."""

    def __init__(self, layout: Layout, settings: Settings) -> None:
        self.layout, self.settings = layout, settings
        self.processes = Processes(layout.state)
        self.link = link_to(layout, settings)
        self.registry = Registry(self.link, layout.book)
        self._sockets = Path(tempfile.mkdtemp(prefix="eyesoff-"))  # a socket's path must be short
        self.cut = _without_network()

    def start_server(self) -> None:
        """SuperLink, SuperExec and proxy; then the keys of all sites are registered."""
        self.start_superlink()
        server, address = self.layout.server, self.settings.superlink
        self._start("superexec", commands.superexec(server, address, f"{LOOPBACK}:{free_port()}"))
        self._start("proxy", commands.proxy(self.layout.proxy, LOOPBACK, self.settings.port, address))
        self._await_health("proxy", self.settings.address)
        for name in self.registry.register_missing(server.public_keys):
            log.info("registered %s", name)

    def start_superlink(self) -> None:
        """The SuperLink alone, once it answers."""
        server, address = self.layout.server, self.settings.superlink
        port = int(address.rpartition(":")[2])
        self._start("superlink", commands.superlink(server, self.layout.state / DATABASE, LOOPBACK, port))
        self._await_health("superlink", address)

    def start_site(self, name: str) -> None:
        """A site's keeper, without a network where this system lets us, and its relay."""
        self.start_keeper(name)
        self.start_relay(name, self.settings.address)

    def start_keeper(self, name: str) -> None:
        """A site's keeper; it may take a while until it serves."""
        words = commands.keeper(self.layout.site(name), self.socket(name))
        self._start(f"{name}-keeper", (*self.cut, *words))

    def start_relay(self, name: str, server: str) -> None:
        """A site's relay, which connects to this address."""
        words = commands.supernode(self.layout.site(name), self.socket(name), server, free_port())
        self._start(f"{name}-supernode", words, look_every=RELAYS_LOOK)

    def await_keepers(self, names: Sequence[str]) -> None:
        """Wait until each keeper answers."""
        for name in names:
            keeper = RemoteKeeper(self.socket(name), longest=10.0)
            self._await(f"{name}-keeper", partial(_answers, keeper))

    def socket(self, name: str) -> Path:
        """Where a site's two processes meet."""
        return self._sockets / name / "keeper.sock"

    def stop(self) -> None:
        """End every process."""
        self.processes.stop()
        shutil.rmtree(self._sockets, ignore_errors=True)

    def _start(self, name: str, words: tuple[str, ...], look_every: float = LOOK_EVERY) -> None:
        environment = flower_environment(self.layout.state / "homes" / name, look_every=look_every)
        self.processes.start(name, words, environment)

    def _await_health(self, name: str, address: str) -> None:
        self._await(name, lambda: is_healthy(address, self.layout.server.authority))

    def _await(self, name: str, answers: Callable[[], bool]) -> None:
        worker, deadline = self.processes.workers[name], time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and worker.process.poll() is None:
            with suppress(UserError):
                if answers():
                    return
            time.sleep(0.2)
        raise UserError(f"{name} does not start", where=worker.log, remedy=_last_line(worker.log))


@contextmanager
def local_deployment(layout: Layout, settings: Settings, sites: Sequence[str]) -> Iterator[LocalDeployment]:
    """Everything up, for as long as the block lasts."""
    deployment = LocalDeployment(layout, settings)
    try:
        log.info("the server starts")
        deployment.start_server()
        log.info("the sites start: a keeper and a relay each")
        for name in sites:
            deployment.start_site(name)
        deployment.await_keepers(sites)
        yield deployment
    finally:
        deployment.stop()


def link_to(layout: Layout, settings: Settings) -> Connection:
    """The way to the SuperLink's control interface, for those who may take it."""
    home = layout.state / "homes" / "control"
    return connect(home, settings.superlink, layout.state / "logs" / "superlink.log", layout.server.authority)


def _without_network() -> tuple[str, ...]:
    """Words that start a process in a network namespace of its own, where there is no way out; none, if unable."""
    words = ["unshare", "--net"]
    if os.geteuid():
        words += ["--user", "--map-current-user"]
    try:
        able = subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        able = False
    if not able:
        log.warning("keepers share this machine's network: `unshare` is not to be had; in containers they have none")
    return tuple(words) if able else ()


def _answers(keeper: RemoteKeeper) -> bool:
    return bool(keeper.status())


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "its log is empty"
