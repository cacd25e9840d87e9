"""The whole topology, once, in containers: what each sees and reaches, and a campaign to its end."""

import json
import subprocess

import pytest

pytestmark = [pytest.mark.containers, pytest.mark.timeout(3600)]
SITES = [f"site{number}" for number in range(1, 6)]
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)"
INTERFACES = "import socket; print(sorted(name for _, name in socket.if_nameindex()))"
PACKAGES = (
    "import importlib.util as u; print([p for p in ('flwr', 'ray', 'torch', 'client', 'server') if u.find_spec(p)])"
)
RUN = "/deployment/runs/campaign"


def reaches(engine, service, host, port):
    return engine.inside(service, "python", "-c", CONNECT, host, str(port)).returncode == 0


def test_a_keeper_has_no_interface_but_loopback(engine):
    for site in SITES:
        assert engine.inside(f"{site}-keeper", "python", "-c", INTERFACES).stdout.strip() == "['lo']"


def test_a_relay_reaches_the_proxy_and_neither_the_superlink_nor_another_site(engine):
    assert reaches(engine, "proxy", "superlink", 8000)  # the control: the very words that fail below
    addresses = json.loads(engine.podman("inspect", engine.name("superlink")).stdout)[0]["NetworkSettings"]["Networks"]
    (superlink,) = (network["IPAddress"] for network in addresses.values())
    for site in SITES:
        assert reaches(engine, f"{site}-supernode", "proxy", 8443)
        assert not reaches(engine, f"{site}-supernode", "superlink", 8000)
        assert not reaches(engine, f"{site}-supernode", superlink, 8000)
    assert not reaches(engine, "site1-supernode", "site2-supernode", 9094)


@pytest.mark.parametrize("service", ["superlink", "serverapp", "proxy", "site1-keeper", "site1-supernode"])
def test_nobody_is_root_or_can_become_more_or_write_where_programs_lie(service, engine):
    user = "10002" if service == "site1-keeper" else "10001"
    assert engine.inside(service, "id", "-u").stdout.strip() == user
    status = engine.inside(service, "cat", "/proc/self/status").stdout
    kept = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    assert int(kept["CapEff"], 16) == int(kept["CapBnd"], 16) == 0
    assert kept["NoNewPrivs"].strip() == "1"
    for place in ("/opt/venv/x", "/usr/x", "/deployment/x", "/site/x"):
        assert engine.inside(service, "touch", place).returncode != 0, place
    assert engine.inside(service, "touch", "/home/eyesoff/x").returncode == 0


def test_a_relay_reaches_its_keeper_and_can_write_nothing_where_the_socket_is(engine):
    connect = "import socket; socket.socket(socket.AF_UNIX).connect('/run/eyesoff/keeper/keeper.sock')"
    for site in SITES:
        relay = f"{site}-supernode"
        assert engine.inside(relay, "python", "-c", connect).returncode == 0
        for words in (
            ("touch", "/run/eyesoff/x"),
            ("touch", "/run/eyesoff/keeper/x"),
            ("rm", "-f", "/run/eyesoff/keeper/keeper.sock"),
        ):
            assert engine.inside(relay, *words).returncode != 0, words


def test_the_proxy_sees_no_key_but_its_own(engine):
    seen = engine.inside("proxy", "find", "/deployment", "-type", "f").stdout.split()
    assert sorted(seen) == [f"/deployment/proxy/{name}" for name in ("ca.crt", "proxy.crt", "proxy.key")]


def test_a_keeper_cannot_write_its_speech_and_a_relay_does_not_see_it(engine):
    assert engine.inside("site1-keeper", "ls", "/srv/speech").stdout.split()
    assert engine.inside("site1-keeper", "touch", "/srv/speech/x").returncode != 0
    assert engine.inside("site1-supernode", "ls", "/srv/speech").stdout.split() == []
    assert engine.inside("site1-supernode", "ls", "/site").stdout.split() == ["keeper", "relay"]
    assert engine.inside("site1-supernode", "ls", "/site/keeper").stdout.split() == ["state"]
    assert engine.inside("site1-keeper", "ls", "/site/relay").stdout.split() == []


def test_each_image_holds_what_its_role_needs_and_no_compiler(engine):
    holds = {
        "proxy": ["flwr", "torch", "client", "server"],
        "site1-keeper": ["torch", "client"],
        "site1-supernode": ["flwr"],
    }
    for service, packages in holds.items():
        assert engine.inside(service, "python", "-c", PACKAGES).stdout.strip() == str(packages)
        for tool in ("gcc", "pip", "/build/tools/bin/uv"):
            assert engine.inside(service, "sh", "-c", f"command -v {tool}").returncode != 0


def test_strangers_reach_the_health_check_and_the_fleets_paths_alone(engine):
    asked = {"/health": "200", "/v1/control/list-runs": "404", "/v1/runtime/get-run": "404", "/": "404"}
    for path, answer in asked.items():
        words = ["curl", "--silent", "--insecure", "--output", "/dev/null", "--write-out", "%{http_code}"]
        done = subprocess.run([*words, f"https://127.0.0.1:8443{path}"], capture_output=True, text=True, check=False)
        assert done.stdout == answer, path


def test_a_campaign_comes_to_its_end(engine):
    engine.compose("run", "--rm", "--no-deps", "campaign")
    told = json.loads(engine.inside("serverapp", "cat", f"{RUN}/campaign.json").stdout)
    assert len(told["sessions"]) == len(told["folds"]) == len(SITES)
    assert all(
        sum(sum(map(sum, m)) for matrices in fold["counts"].values() for m in matrices) for fold in told["folds"]
    )
    for site in SITES:
        ledger = engine.inside(f"{site}-keeper", "eyesoff", "ledger", "verify", "/site/keeper/state/ledger.jsonl")
        assert ledger.returncode == 0, ledger.stdout + ledger.stderr
