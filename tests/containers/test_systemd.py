"""The systemd units keep the rules of the compose files: the same words, and two users who are strangers."""

import shlex
from pathlib import Path

import pytest

from simulations.deployment import commands
from simulations.deployment.layout import SiteFiles
from tests.test_readme import type_it

FOLDER = Path(__file__).parents[2] / "containers" / "systemd"
SITE = SiteFiles(Path("/srv/eyesoff/keeper"), Path("/srv/eyesoff/relay"))
SOCKET = Path("/run/eyesoff/keeper/keeper.sock")
HARDENED = {"NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes"}


def settings(text):
    """Name to value, of all sections; no name stands twice here."""
    lines = [line for line in text.splitlines() if line and line[0] not in "#["]
    pairs = [line.partition("=")[::2] for line in lines]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def read(name):
    return (FOLDER / f"eyesoff-{name}").read_text()


def faults(keeper, relay):
    """What lets a keeper reach a network, or a relay what is the keeper's."""
    rules = {
        "the keeper has no network": keeper.get("PrivateNetwork") == "yes",
        "the keeper speaks over Unix sockets": keeper.get("RestrictAddressFamilies") == "AF_UNIX",
        "the keeper writes its state alone": keeper.get("ReadWritePaths") == str(SITE.keeper / "state"),
        "the speech is read-only": keeper.get("ReadOnlyPaths") == "/srv/speech",
        "they are two users": keeper.get("User") != relay.get("User"),
        "neither is root": "root" not in (keeper.get("User", "root"), relay.get("User", "root")),
        "the relay may connect": relay.get("SupplementaryGroups") == keeper.get("Group"),
        "the relay cannot write where the socket is": relay.get("ReadOnlyPaths") == "/run",
        "the relay sees neither speech nor state": relay.get("InaccessiblePaths") == f"/srv/speech {SITE.keeper}",
        "only the keeper writes in the socket's folder": keeper.get("RuntimeDirectoryMode") == "0750",
    }
    hardened = [f"{name}: {rule}" for name, unit in {"keeper": keeper, "relay": relay}.items() for rule in loose(unit)]
    return [rule for rule, kept in rules.items() if not kept] + hardened


def loose(unit):
    return [rule for rule, value in HARDENED.items() if unit.get(rule) != value] + [
        rule for rule in ("CapabilityBoundingSet",) if unit.get(rule) != ""
    ]


@pytest.fixture
def units():
    return settings(read("keeper.service")), settings(read("relay.service"))


def test_the_units_keep_every_rule(units):
    assert faults(*units) == []
    assert loose(settings(read("metrics.service"))) == []


@pytest.mark.parametrize(
    ("which", "change"),
    [
        (0, {"PrivateNetwork": "no"}),
        (0, {"RestrictAddressFamilies": "AF_UNIX AF_INET"}),
        (0, {"ReadWritePaths": "/srv"}),
        (0, {"RuntimeDirectoryMode": "0770"}),
        (1, {"User": "eyesoff-keeper"}),
        (1, {"User": "root"}),
        (1, {"InaccessiblePaths": "/srv/speech"}),
        (1, {"ReadOnlyPaths": ""}),
        (1, {"CapabilityBoundingSet": "CAP_NET_ADMIN"}),
    ],
)
def test_a_unit_that_breaks_a_rule_is_found(units, which, change):
    changed = [dict(unit) for unit in units]
    changed[which] |= change
    assert len(faults(*changed)) == 1


def test_what_is_started_is_what_the_deployment_starts(units):
    keeper, relay = (shlex.split(unit["ExecStart"]) for unit in units)
    assert [Path(keeper[0]).name, *keeper[1:-2]] == list(commands.keeper(SITE, SOCKET))
    assert keeper[-2:] == ["--log", "json"]
    server = "${EYESOFF_SERVER}:${EYESOFF_PORT}"
    assert [Path(relay[0]).name, *relay[1:]] == list(commands.supernode(SITE, SOCKET, server, 9094))
    assert units[1]["EnvironmentFile"] == str(SITE.relay / ".env")


def test_what_is_started_can_be_typed(units):
    for unit in (units[0], settings(read("metrics.service"))):
        type_it(unit["ExecStart"].removeprefix("/opt/eyesoff/bin/"))


def test_a_keeper_that_is_to_stop_has_the_time_that_compose_gives_it(units):
    compose = (FOLDER.parent / "site.yml").read_text()
    assert f"stop_grace_period: {units[0]['TimeoutStopSec']}s" in compose


def test_the_timer_starts_the_service_of_its_name():
    assert settings(read("metrics.timer"))["OnUnitActiveSec"] == "60"
    assert (FOLDER / "eyesoff-metrics.service").exists()
