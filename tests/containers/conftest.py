"""The real images, built without a registry of images, and the real compose file, started by podman-compose.

What Docker does by itself is done here by hand where this podman cannot: it runs health checks by systemd's timers
alone, so services are started one by one in the order of their conditions, and asked for their health from outside.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from common.version import VERSION

ROOT = Path(__file__).parents[2]
BASE = "localhost/eyesoff/base:bookworm"
AUTHORITIES = Path("etc/ssl/certs/ca-certificates.crt")
TOOLS = ("podman", "debootstrap", "runc", "netavark", "aardvark-dns", "catatonit", "iptables")
SETTINGS = """
[network]
network_backend = "netavark"
[engine]
runtime = "runc"
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
"""
PATIENCE = 600.0
PLACES = "/usr/lib/podman", "/usr/libexec/podman", "/usr/sbin"


class Engine:
    """podman and podman-compose on this project's compose file, in a project of its own."""

    project = "eyesoff-test"

    def __init__(self, settings: Path) -> None:
        self._environment = os.environ | {"CONTAINERS_CONF": str(settings), "BUILDAH_ISOLATION": "chroot"}

    def podman(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """One command of the engine."""
        done = subprocess.run(["podman", *words], env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, f"podman {' '.join(words)}: {done.stdout}{done.stderr}"
        return done

    def compose(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """One command on the compose file, with every profile that needs no GPU."""
        program = str(Path(sys.executable).with_name("podman-compose"))
        own = ["--project-name", self.project, "--profile", "cpu", "--profile", "campaign"]
        done = subprocess.run(
            [program, *own, *words], cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 or not check, f"compose {' '.join(words)}: {done.stdout}{done.stderr}"
        return done

    def build(self) -> None:
        """Every image from the container file."""
        base = os.environ.get("EYESOFF_BASE", BASE)
        if base == BASE and self.podman("image", "exists", BASE, check=False).returncode:
            self._bootstrap()
        for role in ("relay", "keeper", "server"):
            words = ["--layers", "--build-arg", f"BASE={base}", "--file", str(ROOT / "containers" / "Dockerfile")]
            self.podman("build", *words, "--target", role, "--tag", f"eyesoff/{role}:{VERSION}", str(ROOT))

    def _bootstrap(self) -> None:
        """A base as the container file's own, from Debian's packages, that trusts whom this machine trusts."""
        folder = Path(self._environment["CONTAINERS_CONF"]).with_name("base")
        words = ["debootstrap", "--variant=minbase", "--include=python3,python3-venv,ca-certificates", "bookworm"]
        subprocess.run([*words, str(folder)], check=True, capture_output=True)
        shutil.copy(Path("/") / AUTHORITIES, folder / AUTHORITIES)
        archive = folder.with_suffix(".tar")
        subprocess.run(["tar", "-C", str(folder), "-cf", str(archive), "."], check=True)
        self.podman("import", "--change", f"ENV SSL_CERT_FILE=/{AUTHORITIES}", str(archive), BASE)

    def start(self) -> None:
        """Every service of a newcomer's `up`, each when what it needs is there."""
        services = yaml.safe_load(self.compose("config").stdout)["services"]
        wanted = {name for name, one in services.items() if "cpu" in one.get("profiles", ["cpu"])}
        started: list[str] = []
        while left := wanted - set(started):
            ready = sorted(name for name in left if set(services[name].get("depends_on", ())) <= set(started))
            for name in ready:
                for needed, how in services[name].get("depends_on", {}).items():
                    self._await(needed, how["condition"])
                self.compose("up", "--detach", "--no-deps", name)
                started.append(name)
        for name in started:
            if services[name].get("healthcheck"):
                self._await(name, "service_healthy")

    def _await(self, service: str, condition: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if condition == "service_healthy":
                if self.podman("healthcheck", "run", self.name(service), check=False).returncode == 0:
                    return
            else:
                state = self.state(service)
                if state["Status"] == "exited" and state["ExitCode"] == 0:
                    return
            time.sleep(1)
        raise AssertionError(f"{service} is not {condition}: {self.podman('logs', self.name(service)).stderr[-2000:]}")

    def name(self, service: str) -> str:
        """The container of a service."""
        return f"{self.project}_{service}_1"

    def state(self, service: str) -> dict[str, object]:
        """How its container is."""
        state: dict[str, object] = json.loads(self.podman("inspect", self.name(service)).stdout)[0]["State"]
        return state

    def inside(self, service: str, *words: str) -> subprocess.CompletedProcess[str]:
        """A command in a service's container, as its own user."""
        return self.podman("exec", self.name(service), *words, check=False)

    def stop(self) -> None:
        """Nothing is left but the images."""
        self.compose("down", "--volumes", "--timeout", "5", check=False)


def require_tools(path):
    """Name every tool that this search path lacks, before minutes go into building."""
    if missing := [tool for tool in TOOLS if not shutil.which(tool, path=path)]:
        pytest.fail(f"needs {', '.join(missing)}: apt-get install {' '.join(TOOLS)}", pytrace=False)


@pytest.fixture
def tools():
    """What the engine needs, and the function that requires it."""
    return TOOLS, require_tools


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    """Everything built and up."""
    require_tools(os.pathsep.join((os.environ.get("PATH", ""), *PLACES)))
    if os.geteuid():
        pytest.fail("needs root, for networks and for a base made by debootstrap", pytrace=False)
    settings = tmp_path_factory.mktemp("engine") / "containers.conf"
    settings.write_text(SETTINGS)
    running = Engine(settings)
    running.build()
    try:
        running.start()
        yield running
    finally:
        running.stop()
