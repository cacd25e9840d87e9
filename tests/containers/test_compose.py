"""The compose files keep every rule that the deployment's safety rests on, and whoever breaks one is found."""

import copy
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from client.keeper import Keeper
from common.version import VERSION
from simulations import telemetry
from simulations.deployment import commands
from simulations.deployment.layout import ServerFiles, SiteFiles

ROOT = Path(__file__).parents[2]
FILES = {"compose": ROOT / "docker-compose.yml", "site": ROOT / "containers" / "site.yml"}
SITES = [f"site{number}" for number in range(1, 6)]
SERVER, SITE = ServerFiles(Path("/deployment/server")), SiteFiles(Path("/site/keeper"), Path("/site/relay"))
SOCKET = Path("/run/eyesoff/keeper/keeper.sock")
PROXY = ServerFiles(Path("/deployment/proxy"))
DOOR = "10003"
"""The group of the sockets."""
USERS = {"keeper": f"10002:{DOOR}"}
OTHERS = "10001:10001"
"""Whoever runs code that comes over a network."""
EVERYWHERE = "0.0.0.0"  # noqa: S104 - within a container
ONCE = {"setup", "register", "campaign"}
TOOLS = Path(sys.executable).parent
LIMITS = ("mem_limit", "cpus", "shm_size", "pids_limit")


def read(name):
    return yaml.safe_load(FILES[name].read_text())


@pytest.fixture(scope="module")
def compose():
    return read("compose")


@pytest.fixture(scope="module", params=sorted(FILES))
def services(request):
    return read(request.param)["services"]


def role(name):
    return re.sub(r"^site\d-|-nvidia$", "", name)


def user_of(service):
    """As it is unless somebody set it."""
    return re.sub(r"\$\{[^:}]*:-([^}]*)\}", r"\1", str(service.get("user", "root")))


def mounts(service):
    """Target to whether it may be written; a default that holds a colon is no separator."""
    plain = [re.sub(r"\$\{[^}]*\}", "x", volume).split(":") for volume in service.get("volumes", ())]
    return {target: mode != ["ro"] for _, target, *mode in plain}


def faults(services):
    """What in these services breaks a rule that holds for all of them."""
    found = []
    for name, service in services.items():
        user = user_of(service)
        rules = {
            "is not root": not user.startswith(("root", "0")),
            "has its role's user": user == USERS.get(role(name), OTHERS),
            "cannot write its root": service.get("read_only") is True,
            "has no capability": service.get("cap_drop") == ["ALL"] and "cap_add" not in service,
            "gains no privilege": "no-new-privileges:true" in service.get("security_opt", ()),
            "is not privileged": not service.get("privileged"),
            "has limits": all(service.get(limit) for limit in LIMITS),
            "has a pinned image": bool(re.fullmatch(r"eyesoff/(server|relay|keeper):\d+\.\d+\.\d+", service["image"])),
            "is started again": name in ONCE or service.get("restart") == "unless-stopped",
            "is looked at": name in ONCE or bool(service.get("healthcheck", {}).get("test")),
            "does not see the engine": "docker.sock" not in str(service.get("volumes")),
            "publishes nothing": name == "proxy" or "ports" not in service,
        }
        found += [f"{name}: {rule}" for rule, kept in rules.items() if not kept]
    return found


def test_every_container_keeps_every_rule(services):
    assert faults(services) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"user": "0:0"}, "is not root"),
        ({"user": "10002:10003"}, "has its role's user"),
        ({"read_only": False}, "cannot write its root"),
        ({"cap_add": ["NET_ADMIN"]}, "has no capability"),
        ({"security_opt": []}, "gains no privilege"),
        ({"privileged": True}, "is not privileged"),
        ({"mem_limit": None}, "has limits"),
        ({"image": "eyesoff/server:latest"}, "has a pinned image"),
        ({"restart": "no"}, "is started again"),
        ({"healthcheck": {}}, "is looked at"),
        ({"ports": ["8000:8000"]}, "publishes nothing"),
    ],
)
def test_a_container_that_breaks_a_rule_is_found(change, rule, compose):
    services = copy.deepcopy(compose["services"])
    services["superlink"] |= change
    assert f"superlink: {rule}" in faults(services)
    assert all(fault.startswith("superlink: ") for fault in faults(services))


def test_with_its_root_read_only_a_container_can_write_its_home(services):
    home = re.search(r"\bHOME=(\S+)", (ROOT / "containers" / "Dockerfile").read_text())[1]
    for service in services.values():
        assert {path.partition(":")[0] for path in service["tmpfs"]} == {home, "/tmp"}


def test_a_keeper_has_no_network_no_ports_and_speech_that_it_cannot_write(services):
    keepers = [service for name, service in services.items() if role(name) == "keeper"]
    assert keepers
    for keeper in keepers:
        assert keeper["network_mode"] == "none"
        assert "networks" not in keeper
        assert keeper["image"].startswith("eyesoff/keeper:")
        assert mounts(keeper) == {
            "/site/keeper": False,
            "/srv/speech": False,
            "/site/keeper/state": True,
            "/run/eyesoff": True,
        }


def test_a_keeper_that_is_to_stop_has_the_time_that_it_takes(services):
    most = inspect.signature(Keeper.stop).parameters["seconds"].default
    for keeper in (service for name, service in services.items() if role(name) == "keeper"):
        assert float(keeper["stop_grace_period"].removesuffix("s")) > most


def test_a_site_on_its_own_finds_its_ledger_in_the_folder_that_it_was_handed():
    volumes = read("site")["services"]["keeper"]["volumes"]
    (state,) = (volume for volume in volumes if volume.endswith(":/site/keeper/state"))
    assert re.fullmatch(r"\$\{EYESOFF_SITE_FILES:\?[^}]*\}/keeper/state", state.removesuffix(":/site/keeper/state"))


def test_a_relay_sees_neither_speech_nor_ledger_nor_policy(services):
    relays = [service for name, service in services.items() if role(name) == "supernode"]
    assert relays
    for relay in relays:
        assert mounts(relay) == {"/site/relay": False, "/run/eyesoff": False}
        assert relay["image"].startswith("eyesoff/relay:")


def strange(keeper, relay):
    """Whether a relay is a stranger to its keeper: another user, who may connect, and can write nothing it reads."""
    its, own = sources(relay), sources(keeper)
    other_user = user_of(keeper).split(":")[0] != user_of(relay).split(":")[0]
    may_connect = user_of(keeper).split(":")[1] in relay.get("group_add", ())
    shared = {one for one in its if any(below(one, another) or below(another, one) for another in own)}
    return other_user and may_connect and not any(its[one] for one in shared) and len(shared) == 1


def sources(service):
    """Volume or folder to whether it may be written there."""
    plain = [re.sub(r"\$\{(\w+)[^}]*\}", r"\1", volume).split(":") for volume in service.get("volumes", ())]
    return {source: mode != ["ro"] for source, _, *mode in plain}


def below(one, another):
    return Path(one).is_relative_to(another)


def couples(services):
    """Each keeper with the relay of its site."""
    for name, service in services.items():
        if role(name) == "keeper":
            yield service, services[re.sub(r"keeper.*", "supernode", name)]


def test_a_relay_is_a_stranger_to_its_keepers_files(services):
    assert all(strange(keeper, relay) for keeper, relay in couples(services))
    assert list(couples(services))


@pytest.mark.parametrize(
    "change",
    [
        {"user": "${EYESOFF_KEEPER_USER:-10002:10003}"},
        {"group_add": []},
        {"volumes": ["site1-socket:/run/eyesoff"]},
        {"volumes": ["site1-socket:/run/eyesoff:ro", "site1-state:/site/state"]},
        {"volumes": ["site1-socket:/run/eyesoff:ro", "site1-state:/site/state:ro"]},
    ],
    ids=["same user", "cannot connect", "may write", "shares another", "reads another"],
)
def test_a_relay_that_is_none_is_found(change, compose):
    keeper, relay = compose["services"]["site1-keeper"], compose["services"]["site1-supernode"]
    assert not strange(keeper, relay | change)


def test_no_setting_makes_keeper_and_relay_one_user(services):
    for keeper, relay in couples(services):
        names = [re.match(r"\$\{(\w+):-", str(service["user"]))[1] for service in (keeper, relay)]
        assert names[0] == "EYESOFF_KEEPER_USER" != names[1]


def test_the_users_are_those_of_the_images():
    dockerfile = (ROOT / "containers" / "Dockerfile").read_text()
    assert list(re.findall(r"^USER (\S+)$", dockerfile, re.MULTILINE)) == [OTHERS, USERS["keeper"]]
    assert f"chown {USERS['keeper']} /site/keeper/state /run/eyesoff" in dockerfile


def test_the_proxy_sees_its_own_certificate_and_key_and_no_others(compose):
    services = compose["services"]
    assert mounts(services["proxy"]) == {"/deployment/proxy": False}
    assert set(sources(services["proxy"])) == {"EYESOFF_PROXY_FILES"}
    others = {name for name, one in services.items() if "EYESOFF_PROXY_FILES" in sources(one)}
    assert others == {"proxy", "setup"}
    (check,) = (word for word in services["proxy"]["healthcheck"]["test"] if "cafile" in word)
    assert "/deployment/proxy/ca.crt" in check


def test_a_keeper_that_is_not_well_is_red(services):
    for keeper, _ in couples(services):
        asked = ["CMD", "eyesoff", "keeper", "status", "--socket", str(SOCKET)]  # which leaves with the truth
        assert keeper["healthcheck"]["test"] == asked


def test_a_relay_shares_a_network_with_the_proxy_and_nobody_else(compose):
    services, networks = compose["services"], compose["networks"]
    for site in SITES:
        assert services[f"{site}-supernode"]["networks"] == [site]
        assert networks[site]["internal"] is True
        assert {name for name, one in services.items() if site in one.get("networks", ())} == {
            "proxy",
            f"{site}-supernode",
        }


def test_the_superlink_is_on_the_servers_internal_network_alone(compose):
    services = compose["services"]
    assert compose["networks"]["server"]["internal"] is True
    assert services["superlink"]["networks"] == ["server"]
    on_it = {name for name, one in services.items() if "server" in one.get("networks", ())}
    assert on_it == {"superlink", "serverapp", "serverapp-nvidia", "proxy", "register", "campaign"}


def test_only_the_proxy_is_published_and_on_loopback_unless_told_otherwise(compose):
    published = {name: one["ports"] for name, one in compose["services"].items() if "ports" in one}
    assert published == {"proxy": ["${EYESOFF_BIND:-127.0.0.1}:${EYESOFF_PORT:-8443}:8443"]}


def test_each_site_has_two_containers_and_volumes_of_its_own(compose):
    services = compose["services"]
    for site in SITES:
        keeper, relay = services[f"{site}-keeper"], services[f"{site}-supernode"]
        assert f"{site}-socket:/run/eyesoff" in keeper["volumes"]
        assert f"{site}-socket:/run/eyesoff:ro" in relay["volumes"]
        assert set(sources(keeper)) & set(sources(relay)) == {f"{site}-socket"}
        others = [name for name, one in services.items() if f"{site}-socket" in str(one.get("volumes"))]
        assert {role(name) for name in others} == {"keeper", "supernode"}
        assert all(name.startswith(site) for name in others)


def test_without_data_the_keepers_read_the_built_in_corpus_that_setup_makes(compose):
    services = compose["services"]
    assert "speech:/srv/speech" in services["setup"]["volumes"]
    assert "builtin" in services["setup"]["command"]
    for number, site in enumerate(SITES, start=1):
        assert f"${{EYESOFF_SITE{number}_SPEECH:-speech}}:/srv/speech:ro" in services[f"{site}-keeper"]["volumes"]


def test_gpus_are_reserved_where_the_profile_asks_for_them_and_nowhere_else(services):
    for name, service in services.items():
        devices = service.get("deploy", {}).get("resources", {}).get("reservations", {}).get("devices", [])
        profiles = service.get("profiles", [])
        assert bool(devices) == name.endswith("-nvidia")
        assert not devices or devices[0] == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
        assert not devices or all("nvidia" in profile for profile in profiles)
        if role(name) in ("keeper", "serverapp"):
            assert not {"cpu", "server-cpu"} & set(profiles) or not devices


def test_what_starts_waits_for_what_it_needs(compose):
    services = compose["services"]
    conditions = {
        ("superlink", "setup"): "service_completed_successfully",
        ("serverapp", "superlink"): "service_healthy",
        ("proxy", "superlink"): "service_healthy",
        ("register", "superlink"): "service_healthy",
        ("site1-supernode", "register"): "service_completed_successfully",
        ("site1-keeper", "setup"): "service_completed_successfully",
    }
    for (name, needed), condition in conditions.items():
        assert services[name]["depends_on"][needed]["condition"] == condition, (name, needed)


def test_the_commands_are_those_of_deploy_local(compose):
    services, site = compose["services"], read("site")["services"]
    supernode = list(commands.supernode(SITE, SOCKET, "proxy:8443", 9094))
    expected = {
        "superlink": list(commands.superlink(SERVER, Path("/deployment/state/flower.db"), EVERYWHERE, 8000)),
        "serverapp": list(commands.superexec(SERVER, "superlink:8000", "127.0.0.1:8090")),
        "proxy": list(commands.proxy(PROXY, EVERYWHERE, 8443, "superlink:8000")),
        "keeper": list(commands.keeper(SITE, SOCKET)),
        "supernode": supernode,
    }
    told = {name: service["command"] for name, service in services.items() if name not in ONCE}
    assert {name: told[name] for name in told if told[name] != expected[role(name)]} == {}
    assert len(told) == 4 + 3 * len(SITES)
    address = site["supernode"]["command"][2]
    assert re.fullmatch(r"\$\{EYESOFF_SERVER:\?.*\}:\$\{EYESOFF_PORT:\?.*\}", address)
    assert [word if word != address else "proxy:8443" for word in site["supernode"]["command"]] == supernode
    assert site["keeper"]["command"] == expected["keeper"]


@pytest.mark.parametrize("name", ["setup", "register", "campaign"])
def test_what_runs_once_can_be_typed(name, compose):
    import typer

    from simulations import cli

    program, *words = compose["services"][name]["command"]
    assert program == "eyesoff"
    command = typer.main.get_command(cli.app)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    command.make_context(name, list(words))


def test_images_carry_the_projects_version_and_every_switch_against_calling_home(services):
    assert {service["image"].split(":")[1] for service in services.values()} == {VERSION}
    dockerfile = (ROOT / "containers" / "Dockerfile").read_text()
    assert all(f"{name}={value}" in dockerfile for name, value in telemetry.SWITCHES.items())


def test_a_newcomers_compose_up_starts_the_server_and_five_sites(compose):
    profile = dict(
        line.split("=") for line in (ROOT / ".env").read_text().splitlines() if line and not line.startswith("#")
    )["COMPOSE_PROFILES"]
    up = {name for name, one in compose["services"].items() if profile in one.get("profiles", [profile])}
    assert up == {
        *("setup", "superlink", "serverapp", "proxy", "register"),
        *(f"{site}-{role}" for site in SITES for role in ("keeper", "supernode")),
    }
    alone = {name for name, one in compose["services"].items() if "server-cpu" in one.get("profiles", ["server-cpu"])}
    assert alone == {"setup", "superlink", "serverapp", "proxy", "register"}


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_compose_specification_is_kept(name):
    words = [TOOLS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", FILES[name]]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def resolved(tmp_path):
    """A function that tells what a compose implementation makes of a file; of the engine it asks the version alone."""
    engine = tmp_path / "podman"
    engine.write_text("#!/bin/sh\necho podman version 4.3.1\n")
    engine.chmod(0o755)

    def read(name, **settings):
        words = [TOOLS / "podman-compose", "--podman-path", engine, "--profile", "cpu", "--file", FILES[name], "config"]
        environment = {"PATH": os.environ["PATH"], **settings}
        return subprocess.run(list(map(str, words)), env=environment, capture_output=True, text=True, check=False)

    return read


def test_a_compose_implementation_reads_what_is_written(compose, resolved):
    done = resolved("compose")
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    up = {name for name, one in compose["services"].items() if "cpu" in one.get("profiles", ["cpu"])}
    assert set(services) == up
    assert {name: one["command"] for name, one in services.items()} == {
        name: compose["services"][name]["command"] for name in up
    }
    assert faults(services) == []


def test_a_site_that_lacks_a_setting_is_told_which(resolved):
    settings = {"EYESOFF_SITE_FILES": "/s", "EYESOFF_SPEECH": "/r", "EYESOFF_SERVER": "fed.example.org"}
    done = resolved("site", **settings)
    assert done.returncode != 0
    assert "EYESOFF_PORT" in done.stdout + done.stderr or "the server's port" in done.stdout + done.stderr
    assert resolved("site", **settings, EYESOFF_PORT="8443").returncode == 0
