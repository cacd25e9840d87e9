"""What was put aside is written down once, survives a kill at any moment, and is judged by the checks that are on."""

import json

import pytest

from common.config import CampaignConfig
from common.errors import UserError
from server.bank import Bank
from server.intake import POOL, QUARANTINE, Intake
from server.requests import Requests


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "run"


@pytest.fixture
def bank(folder):
    return Bank(folder / "bank")


@pytest.fixture
def releases(config, base, client_of):
    """Of three honest clients."""
    requests = Requests("run", config, base, per_speaker=False)
    return {session: client_of(session).say(requests.tune("0", session).request) for session in "ABC"}


@pytest.fixture
def told():
    return []


@pytest.fixture
def intake_of(folder, bank, config, told):
    """An intake that begins in the folder as it is."""

    def make(*checks):
        return Intake(folder, bank, config.model_copy(update={"campaign": CampaignConfig(checks=checks)}), told.append)

    return make


@pytest.fixture
def filled(intake_of, releases):
    """All three banked, and one put aside for a sample of the pool."""
    intake = intake_of("samples")
    banked = {session: intake.take(release) for session, release in releases.items()}
    intake.unpoolable(banked["B"].name, banked)
    return banked


def test_what_is_put_aside_is_told_once_and_left_out_by_whoever_resumes(filled, intake_of, told, bank):
    assert [str(one) for one in told] == ["B is put aside: a sample that was drawn for the pool is not finite"]
    again = intake_of("samples")
    assert list(again.banked("run")) == ["A", "C"]
    assert list(again.aside) == ["B"]
    assert len(told) == 1
    reason = json.loads((bank.folder / "quarantine" / f"{filled['B'].name}.reason.json").read_text())["reason"]
    assert reason == "a sample that was drawn for the pool is not finite"


def test_a_kill_between_the_entry_and_the_move_leaves_nothing_in_the_bank(filled, intake_of, bank):
    for path in (bank.folder / "quarantine").glob(f"{filled['B'].name}*"):
        path.replace(bank.folder / path.name)
    (bank.folder / f"{filled['B'].name}.reason.json").unlink()
    assert [one.session for one in bank.banked()] == ["A", "B", "C"]
    assert list(intake_of("samples").banked("run")) == ["A", "C"]
    assert [one.session for one in bank.banked()] == ["A", "C"]


def test_an_entry_counts_while_its_check_is_on(folder, filled, intake_of):
    entries = json.loads((folder / QUARANTINE).read_text())
    entries["aside"][0]["check"] = "labels"
    (folder / QUARANTINE).write_text(json.dumps(entries))
    assert list(intake_of("labels").aside) == ["B"]
    assert list(intake_of("samples", "equals").aside) == []


def test_what_the_pool_found_counts_whatever_is_on(filled, intake_of):
    assert intake_of().aside["B"].check == POOL


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"aside": [{}]}', '{"aside": 3}', "\x00"])
def test_a_damaged_list_is_an_empty_one(folder, filled, intake_of, damage):
    (folder / QUARANTINE).write_text(damage)
    assert intake_of("samples").aside == {}


def test_the_list_can_be_written_or_nothing_is_put_aside(folder, filled, intake_of, bank, disk_with_room_for):
    intake = intake_of("samples")
    left = intake.banked("run")
    with disk_with_room_for(100), pytest.raises(UserError, match="cannot write"):
        intake.unpoolable(left["A"].name, left)
    assert list(intake_of("samples").banked("run")) == ["A", "C"]


def test_latents_hang_on_the_weights(intake_of, releases, monkeypatch):
    seeds = []

    def drawn(sampler, classes, *seed):
        seeds.append(seed)
        raise KeyboardInterrupt

    monkeypatch.setattr("server.intake.draw", drawn)
    first, second = releases["A"], releases["A"].model_copy(update={"released": releases["B"].released})
    for release in (first, second, first):
        with pytest.raises(KeyboardInterrupt):
            intake_of("samples").take(release)
    assert seeds[0] == seeds[2] != seeds[1]
