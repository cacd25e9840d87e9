"""A deployment small enough for a test: five sites of eight recordings, networks of one channel."""

from pathlib import Path

import psutil
import pytest

pytest.importorskip("flwr", reason="Flower is an extra")

from client.bases import read_base
from client.dice import write_secret
from client.simulated import open_policy, simulated_secret
from client.site import load_site
from common.wire import weights_digest
from server.bank import Bank
from server.campaign import BANK
from server.run import run_campaign
from simulations.deployment import local
from simulations.deployment.creation import create, sessions_as_sites
from simulations.deployment.layout import Layout
from simulations.deployment.settings import Settings
from simulations.federation import submission
from simulations.federation.campaign import order
from simulations.federation.flower import free_port
from simulations.federation.serial import SerialClients

BUSY_SECONDS = 600.0


@pytest.fixture(scope="session", autouse=True)
def _busy():
    """A busy machine is no mistake of the code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "START_SECONDS", BUSY_SECONDS)
        patch.setattr(submission, "COMMAND_SECONDS", BUSY_SECONDS)
        yield


@pytest.fixture(scope="session")
def deploy(tmp_path_factory, weights):
    """A function that writes a deployment: a configuration's sessions as sites that hide nothing, on free ports.

    Their dice are those of a simulation, so that a test may compare the two.
    """

    def written(config):
        layout = Layout(tmp_path_factory.mktemp("deployment") / "d")
        settings = Settings("localhost", free_port(), f"127.0.0.1:{free_port()}")
        create(layout, [settings.server], settings.port, sessions_as_sites(config), days=3, renew=False)
        for name in layout.sites:
            layout.site(name).policy.write_text(open_policy(config, read_base(weights).digest))
            site = load_site(layout.site(name).site)
            write_secret(site.secret, simulated_secret(config.seed, site.session))
        return layout, settings

    return written


@pytest.fixture(scope="session")
def simulated(weights, tmp_path_factory):
    """A function that runs a configuration as `simulate` does; the answer is its run directory."""

    def run(config):
        folder = tmp_path_factory.mktemp("simulated") / "run"
        order(config, folder, weights)
        run_campaign(folder, SerialClients(folder))
        return folder

    return run


@pytest.fixture(scope="session")
def digests():
    """A function that names the very weights of a run's generators."""

    def of(run: Path) -> dict[str, str]:
        bank = Bank(run / BANK)
        return {banked.session: weights_digest(bank.load(banked).weights()) for banked in bank.banked()}

    return of


@pytest.fixture(scope="session")
def family():
    """A function that lists a process and all that it started."""

    def of(number: int) -> list[psutil.Process]:
        return [psutil.Process(number), *psutil.Process(number).children(recursive=True)]

    return of


def pytest_terminal_summary(terminalreporter):
    """One line for each property of a deployment that was tried; the tests' names are the properties."""
    kinds = {"passed": "kept   ", "failed": "BROKEN ", "error": "BROKEN ", "skipped": "skipped"}
    tried = [(kind, report) for kind in kinds for report in terminalreporter.stats.get(kind, ())]
    slow = [
        (kind, report)
        for kind, report in tried
        if "slow" in getattr(report, "keywords", ()) and "deployment/" in report.nodeid
    ]
    if slow:
        terminalreporter.section("what the deployment keeps")
    for kind, report in sorted(slow, key=lambda one: one[1].nodeid):
        name = report.nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " ")
        terminalreporter.write_line(f"{kinds[kind]} {name}")
