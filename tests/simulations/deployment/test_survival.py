"""A campaign that loses processes one after another, and ends with the generators of an undisturbed one.

Everything is killed in the midst of tuning, so that what was lost would be missing.
"""

import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from common.config import Config
from common.errors import UserError
from server.bank import Bank
from server.campaign import BANK
from server.plans import plan_of
from simulations.deployment import commands
from simulations.deployment.campaign import run_deployed
from simulations.deployment.local import LOOPBACK, local_deployment
from simulations.federation.flower import free_port
from simulations.federation.submission import flower_environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
PATIENCE = 600.0
CUT = 30.0


def patiently(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.2)
    return found


@pytest.fixture(scope="module")
def lasting(config):
    """Long enough to be disturbed in the midst; patient with whoever falls silent, but not for a day."""
    finetuning = config.finetuning.model_copy(update={"iterations": 400})
    campaign = config.campaign.model_copy(
        update={"attempts": 3, "ask_seconds": 180.0, "tune_seconds": 400.0, "quorum": 3}
    )
    return config.model_copy(update={"finetuning": finetuning, "campaign": campaign})


@pytest.fixture(scope="module")
def deployment(lasting, deploy):
    layout, settings = deploy(lasting)
    with local_deployment(layout, settings, layout.sites) as running:
        yield running


class Tending:
    """Keeps the processes alive beside a campaign, as restart policies do, and writes down every death."""

    def __init__(self, deployment):
        self.deaths, self._processes = [], deployment.processes

    def __call__(self):
        self.deaths += self._processes.tend()


@pytest.fixture(scope="module")
def story(deployment, lasting, weights, family, tmp_path_factory):
    """Site 1 loses its relay and its keeper, site 2 its network, site 5 its relay for good; the server everything."""
    told, layout = SimpleNamespace(), deployment.layout
    told.run, tend = tmp_path_factory.mktemp("deployed") / "run", Tending(deployment)
    deployment.processes.drop("site2-supernode")  # comes back behind a proxy of its own, whose network can be cut
    port = free_port()
    words = commands.proxy(layout.proxy, LOOPBACK, port, deployment.settings.superlink)
    deployment.processes.start("site2-network", words, flower_environment(layout.state / "homes" / "network"))
    deployment.start_relay("site2", f"localhost:{port}")

    def campaign(resume):
        try:
            told.outcome = run_deployed(
                deployment.link, told.run, lasting, weights, expected=5, resume=resume, watch=tend
            )
        except UserError as error:
            told.end = str(error)

    def steps(name):
        return list((layout.site(name).keeper / "state" / "tunings").glob("*/snapshots/*/[0-9]*"))

    first = threading.Thread(target=campaign, args=(False,), daemon=True)
    first.start()
    patiently(lambda: all(map(steps, ("site1", "site2", "site5"))), "nobody tunes")
    deployment.processes.send("site1-supernode", signal.SIGKILL)
    deployment.processes.send("site1-keeper", signal.SIGKILL)
    deployment.processes.send("site2-network", signal.SIGSTOP)
    deployment.processes.send("site5-supernode", signal.SIGKILL)
    deployment.processes.drop("site5-supernode")
    deployment.processes.send("superlink", signal.SIGKILL)  # with its database; the server's app goes on
    time.sleep(CUT)
    deployment.processes.send("site2-network", signal.SIGCONT)
    patiently(lambda: _banked(told.run), "no generator came after all that")
    told.app_survived = first.is_alive()
    for process in family(deployment.processes.workers["superexec"].process.pid):
        if "flwr-serverapp" in " ".join(process.cmdline()):
            process.kill()
    first.join(PATIENCE)
    told.banked_first = {banked.session: banked.received for banked in Bank(told.run / BANK).banked()}
    second = threading.Thread(target=campaign, args=(True,), daemon=True)
    second.start()
    second.join(3 * PATIENCE)
    told.deaths = tend.deaths
    return told


def _banked(run: Path):
    return Bank(run / BANK).banked()


def test_the_campaign_comes_to_its_end_and_names_who_was_lost(story):
    assert story.outcome.sessions == ["Session1", "Session2", "Session3", "Session4"]
    assert story.app_survived
    assert "failed" in story.end or "stopped" in story.end
    assert {death.split()[0] for death in story.deaths} >= {"site1-supernode", "site1-keeper", "superlink"}


def test_every_generator_is_that_of_an_undisturbed_campaign(story, lasting, simulated, digests):
    expected = digests(simulated(lasting))
    assert digests(story.run) == {session: expected[session] for session in story.outcome.sessions}


def test_what_was_in_the_bank_was_not_asked_for_again(story):
    received = {banked.session: banked.received for banked in Bank(story.run / BANK).banked()}
    assert story.banked_first.items() <= received.items()
    assert story.banked_first


def test_a_site_that_withdraws_is_in_no_later_bank_and_no_later_recognizer(
    story, deployment, lasting, weights, tmp_path_factory
):
    deployment.registry.revoke("site4")
    bank = Bank(story.run / BANK)
    (withdrawn,) = [banked.name for banked in bank.banked() if banked.session == "Session4"]
    bank.remove(withdrawn)
    tend = Tending(deployment)
    outcome = run_deployed(deployment.link, story.run, lasting, weights, expected=3, resume=True, watch=tend)
    assert outcome.sessions == ["Session1", "Session2", "Session3"]
    assert [banked.session for banked in bank.banked()] == outcome.sessions
    folds = {fold.name: tuple(fold.train) for fold in outcome.folds}
    assert folds == {fold.name: fold.train for fold in plan_of("leave-one-session-out", Config())(outcome.sessions)}
