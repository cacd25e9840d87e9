"""`eyesoff modes`, `synthesizers`, `recognizers` and `protocols` as a person meets them."""

import json
from importlib.metadata import EntryPoint

import pytest
from typer.testing import CliRunner

from common.protocols import PROTOCOLS
from common.recognizers import RECOGNIZERS
from common.registry import Broken, Registry
from common.spaces import PATCHES, Vectors
from common.synthesizers import SYNTHESIZERS, Synthesizer
from simulations.cli import app
from simulations.comparison.modes import SPOKEN, choose_modes

every = pytest.mark.parametrize(
    ("command", "registry"),
    [("synthesizers", SYNTHESIZERS), ("recognizers", RECOGNIZERS), ("protocols", PROTOCOLS)],
)


@every
def test_all_that_there_are_are_listed(command, registry):
    rows = json.loads(CliRunner().invoke(app, [command, "--json"]).stdout)[command]
    assert [row["name"] for row in rows] == list(registry.methods)
    assert all(row["about"].endswith(".") for row in rows)
    heads, *lines = CliRunner().invoke(app, [command]).stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == list(registry.methods)
    assert all(line.count("\t") == heads.count("\t") for line in lines)


@every
def test_one_that_cannot_be_used_is_named_with_the_reason(command, registry, monkeypatch):
    monkeypatch.setitem(registry.__dict__, "_found", (registry.methods, (Broken("lost", "ImportError: no torch"),)))
    told = CliRunner().invoke(app, [command])
    assert told.stderr == f"{command.removesuffix('s')} lost cannot be used: ImportError: no torch\n"
    assert json.loads(CliRunner().invoke(app, [command, "--json"]).stdout)["broken"] == [
        {"name": "lost", "reason": "ImportError: no torch"}
    ]


def test_one_that_cannot_be_loaded_is_told_once(monkeypatch, caplog):
    broken = Registry("synthesizer", tuple(SYNTHESIZERS), "SYNTHESIZER", "a group", Synthesizer)
    points = [EntryPoint("lost", "nowhere.at:all", "a group")]
    monkeypatch.setattr("common.registry.entry_points", lambda group: points if group == "a group" else [])
    monkeypatch.setattr("common.synthesizers.SYNTHESIZERS", broken)
    told = CliRunner().invoke(app, ["synthesizers"])
    assert (told.stderr.count("lost"), caplog.records) == (1, [])


def test_synthesizers_are_listed_with_their_papers():
    rows = json.loads(CliRunner().invoke(app, ["synthesizers", "--json"]).stdout)["synthesizers"]
    papers = {row["name"]: row["paper"] for row in rows}
    assert "Eskimez" in papers["eskimez"]
    assert all(row["released"] for row in rows)


def test_the_floor_is_not_said_to_read_speech():
    rows = json.loads(CliRunner().invoke(app, ["synthesizers", "--json"]).stdout)["synthesizers"]
    privacy = {row["name"]: row["privacy"] for row in rows}
    assert "reads no speech" in privacy["floor"]
    assert privacy["eskimez"].startswith("none: its fit reads speech")


def test_protocols_say_whether_a_campaign_can_keep_to_them():
    rows = json.loads(CliRunner().invoke(app, ["protocols", "--json"]).stdout)["protocols"]
    assert {row["name"]: row["campaign"] for row in rows}["leave-one-session-out"] == "yes"


def test_every_row_of_a_comparison_is_listed_as_it_is_typed():
    rows = {row["name"]: row for row in json.loads(CliRunner().invoke(app, ["modes", "--json"]).stdout)["modes"]}
    assert all("," not in name for name in rows)
    vectors = Vectors(set="any", size=1, scale="public")
    for space, kind in ((vectors, "vectors"), (PATCHES, "patches")):
        named = [name for name, row in rows.items() if kind in row["spaces"]]
        assert [mode.name for mode in choose_modes(named, space)] == [SPOKEN[name] for name in named]
    assert {"copying", "gaussian federated", "federated averaging 20 rounds", "undersampling 0.4"} < rows.keys()
    assert len(CliRunner().invoke(app, ["modes"]).stdout.splitlines()) == len(rows) + 1
