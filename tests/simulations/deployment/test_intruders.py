"""Parity with `simulate` over TLS, while intruders try every door; one campaign tells it all."""

import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import psutil
import pytest

from common.errors import UserError
from server.campaign import RESULTS
from server.proxy import FLEET
from server.roster import read_holders
from simulations.deployment import commands
from simulations.deployment.campaign import run_deployed
from simulations.deployment.certificates import new_authority
from simulations.deployment.keys import new_pair
from simulations.deployment.layout import SiteFiles
from simulations.deployment.local import local_deployment
from simulations.deployment.sessions import holders_of, read_sessions
from simulations.deployment.status import status_of
from simulations.federation.flower import free_port, stop_group
from simulations.federation.submission import connect, flower_environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
PATIENCE = 600.0
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def patiently(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.3)
    return found


def text(path):
    return COLOURS.sub("", path.read_text(errors="replace"))


@pytest.fixture(scope="module")
def longer(config):
    """A configuration whose campaign lasts while intruders come and go."""
    return config.model_copy(update={"finetuning": config.finetuning.model_copy(update={"iterations": 60})})


@pytest.fixture(scope="module")
def deployment(longer, deploy):
    layout, settings = deploy(longer)
    with local_deployment(layout, settings, layout.sites) as running:
        yield running


@pytest.fixture(scope="module")
def intrude(deployment, tmp_path_factory):
    """A function that starts a relay with other words than a site's own; the answer is what its log said at its end."""
    layout, settings = deployment.layout, deployment.settings

    def start(name, change, key=None, until=""):
        """`until` this stands in the proxy's log, for a relay that tries again and again; else to its end."""
        folder = tmp_path_factory.mktemp(name)
        files = SiteFiles.of(folder)
        at_work = shutil.ignore_patterns("state")  # which changes while it is copied
        shutil.copytree(layout.site_folder("site1"), folder, ignore=at_work, dirs_exist_ok=True)
        files.key.unlink()
        files.public_key.unlink()
        if key is None:
            new_pair(files.key, files.public_key)
        else:
            shutil.copy(key, files.key)
        words = change(files, list(commands.supernode(files, folder / "no.sock", settings.address, free_port())))
        log, proxy = folder / "log", layout.state / "logs" / "proxy.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                words,
                cwd=folder,
                env=flower_environment(folder / "home"),
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        try:
            if until:
                patiently(lambda: until in text(proxy), until)
                return process.poll(), text(log)
            return process.wait(PATIENCE), text(log)
        finally:
            stop_group(process)

    return start


def without(option, count=1):
    def change(files, words):
        place = words.index(option)
        return words[:place] + words[place + 1 + count :]

    return change


def as_it_is(files, words):
    return words


@pytest.fixture(scope="module")
def story(deployment, longer, weights, intrude, tmp_path_factory):
    """One campaign, and what became of everybody who tried to disturb it."""
    told, layout, settings = SimpleNamespace(), deployment.layout, deployment.settings
    told.run = tmp_path_factory.mktemp("deployed") / "run"

    def campaign():
        nodes, sessions = deployment.registry.nodes(), read_sessions(layout.server.sessions)
        told.outcome = run_deployed(
            deployment.link, told.run, longer, weights, expected=5, holders=holders_of(nodes, sessions)
        )

    working = threading.Thread(target=campaign, daemon=True)
    working.start()
    told.no_key = intrude("keyless", without("--auth-supernode-private-key"))
    told.unregistered = intrude("unregistered", as_it_is)
    pair = SiteFiles.of(tmp_path_factory.mktemp("guest"))
    new_pair(pair.key, pair.public_key)
    deployment.registry.register("guest", pair.public_key)
    told.revoked_number = deployment.registry.revoke("guest")
    told.revoked = intrude("revoked", as_it_is, key=pair.key)
    other = tmp_path_factory.mktemp("other")
    new_authority(other / "ca.key", other / "ca.crt")

    def distrust(files, words):
        shutil.copy(other / "ca.crt", files.authority)
        return words

    told.wrong_authority = intrude("wrong", distrust, until="unknown ca")

    def in_plain_text(files, words):
        words = without("--auth-supernode-private-key")(files, without("--root-certificates")(files, words))
        return [*words, "--insecure"]

    told.plain_text = intrude("plain", in_plain_text, until="(http request)")
    stranger = connect(
        tmp_path_factory.mktemp("stranger"), settings.address, layout.state / "none.log", layout.server.authority
    )
    with pytest.raises(UserError) as refused:
        stranger.submit(told.run)
    told.submission = str(refused.value)
    told.status = status_of(layout, settings, deployment.link, told.run)
    working.join(3 * PATIENCE)
    assert not working.is_alive()
    told.proxy = text(layout.state / "logs" / "proxy.log")
    told.superlink = text(layout.state / "logs" / "superlink.log")
    return told


def test_five_authenticated_sites_over_tls_end_with_the_numbers_of_simulate(story, longer, simulated, digests):
    expected = simulated(longer)
    assert digests(story.run) == digests(expected)
    assert (story.run / RESULTS).read_bytes() == (expected / RESULTS).read_bytes()
    assert story.outcome.failures == []


@pytest.mark.parametrize("who", ["no_key", "unregistered", "revoked"])
def test_a_relay_whose_key_is_not_registered_is_refused_and_told_so_on_both_sides(story, who):
    status, log = getattr(story, who)
    assert status != 0
    assert re.search(r"\[(code: )?200[14]\]", log), log[-2000:]
    assert re.search(r"WARNING .*the SuperLink refused /v1/fleet/(register|activate)-node with 4\d\d", story.proxy)


def test_a_relay_that_trusts_another_authority_goes_no_further_than_the_handshake(story):
    status, log = story.wrong_authority
    assert status != 0 or "certificate" in log.lower(), log[-2000:]
    assert re.search(r"refused 127\.0\.0\.1: no TLS handshake \(.*unknown ca.*\)", story.proxy), story.proxy


def test_plain_text_is_refused_at_the_tls_port(story):
    assert re.search(r"refused 127\.0\.0\.1: no TLS handshake \(http request\)", story.proxy), story.proxy


def test_nobody_submits_a_run_through_the_proxy(story):
    assert "refused 127.0.0.1: POST '/v1/control/start-run' with 404" in story.proxy
    assert story.submission


def test_nobody_but_the_five_is_registered_or_took_part(story, deployment):
    assert [node.name for node in deployment.registry.nodes()] == [f"site{number}" for number in range(1, 6)]
    assert story.status.proxy.startswith("answers")
    assert [status for _, status in story.status.runs] != []


def test_no_path_but_the_fleets_reaches_the_superlink(story, deployment):
    settings, trust = deployment.settings, ssl.create_default_context(cafile=deployment.layout.server.authority)
    for path in ("/", "/docs", "/openapi.json", "/v1/control/list-runs", "/v1/runtime/acquire-task", "/v1/fleet/"):
        for method in ("GET", "POST", "PUT"):
            connection = http.client.HTTPSConnection(settings.server, settings.port, timeout=10, context=trust)
            connection.request(method, path, b"" if method != "GET" else None)
            assert connection.getresponse().status in (404, 501), (method, path)
            connection.close()
    described = json.loads(_ask_superlink(deployment, "/openapi.json"))["paths"]
    fleet = {path for path in described if path.startswith("/v1/fleet/")}
    assert fleet == FLEET  # what this Flower has, no less and no more


def _ask_superlink(deployment, path):
    trust = ssl.create_default_context(cafile=deployment.layout.server.authority)
    host, port = deployment.settings.superlink.split(":")
    connection = http.client.HTTPSConnection(host, int(port), timeout=10, context=trust)
    connection.request("GET", path)
    return connection.getresponse().read()


def test_a_keeper_has_no_way_out(deployment):
    if shutil.which("nsenter") is None or not deployment.cut:
        pytest.skip("this system lets nobody make a network namespace")
    keeper = deployment.processes.workers["site1-keeper"].process.pid
    address = deployment.settings.superlink.split(":")
    attempt = f"import socket; socket.create_connection(('{address[0]}', {address[1]}), 3)"
    outside = subprocess.run([sys.executable, "-c", attempt], capture_output=True, text=True, check=False)
    assert outside.returncode == 0, outside.stderr
    words = ["nsenter", "--target", str(keeper), "--net", sys.executable, "-c", attempt]
    inside = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "unreachable" in inside.stderr.lower(), inside.stderr


def test_names_belong_to_keys(story):
    assert sorted(read_holders(story.run).values()) == sorted(story.outcome.sessions)


def test_a_sites_processes_listen_on_loopback_alone(deployment, family):
    found = []
    for name in deployment.layout.sites:
        for role in ("keeper", "supernode"):
            for process in family(deployment.processes.workers[f"{name}-{role}"].process.pid):
                listening = [c for c in process.net_connections("inet") if c.status == "LISTEN"]
                found += [(role, connection.laddr) for connection in listening]
    assert {role for role, _ in found} == {"supernode"}
    assert {address.ip for _, address in found} == {"127.0.0.1"}
    ports = [address.port for _, address in found]
    outer = [a.address for one in psutil.net_if_addrs().values() for a in one if a.family == socket.AF_INET]
    for host in (address for address in outer if not address.startswith("127.")):
        for port in ports:
            with socket.socket() as probe:
                probe.settimeout(2)
                assert probe.connect_ex((host, port)) != 0, (host, port)
