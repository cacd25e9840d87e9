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
SOCKET = Path("/run/eyesoff/keeper.sock")
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


def mounts(service):
    """Target to whether it may be written; a default that holds a colon is no separator."""
    plain = [re.sub(r"\$\{[^}]*\}", "x", volume).split(":") for volume in service.get("volumes", ())]
    return {target: mode != ["ro"] for _, target, *mode in plain}


def faults(services):
    """What in these services breaks a rule that holds for all of them."""
    found = []
    for name, service in services.items():
        user = str(service.get("user", "root"))
        rules = {
            "is not root": not user.startswith(("root", "0")) and "10001" in user,
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
    assert faults(services) == [f"superlink: {rule}"]


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
        assert mounts(relay) == {"/site/relay": False, "/run/eyesoff": True}
        assert relay["image"].startswith("eyesoff/relay:")


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
        shared = set(map(str, keeper["volumes"])) & set(map(str, relay["volumes"]))
        assert shared == {f"{site}-socket:/run/eyesoff"}
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
        "proxy": list(commands.proxy(SERVER, EVERYWHERE, 8443, "superlink:8000")),
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
