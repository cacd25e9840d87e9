"""How a site stands: what it holds, its policy in words, its quotas, and until when a certificate is good."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from client.history import Record
from client.ledger import Ledger
from client.policy import Policy
from client.seen import note_of
from client.site import Site
from client.standing import history_of, quotas
from common.privacy.accountant import signal_for
from simulations.cli import main
from simulations.deployment.certificates import new_authority
from simulations.steward.policy_words import RULES, in_words
from simulations.steward.status import standing_of

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def site(make_speech, tmp_path):
    (tmp_path / "keeper").mkdir()
    root = make_speech(tmp_path / "speech")
    return Site(session="clinic", root=root, state=tmp_path / "keeper" / "state")


def by_rule(site, now=NOW):
    return {quota.rule: quota for quota in standing_of(site, site.state.parent, now).quotas}


def test_a_site_that_has_given_nothing_has_all_of_it_left_and_nothing_is_written(site):
    assert all(quota.used == 0 and quota.left == quota.limit for quota in by_rule(site).values())
    assert not site.state.exists()


def test_what_was_given_is_counted_by_the_day_and_for_life(site):
    ledger = Ledger(site.ledger)
    for days, facts in (
        (3, {"outcome": "admitted", "kind": "tune", "work": "a"}),
        (0, {"outcome": "admitted", "kind": "tune", "work": "b", "signal": signal_for(3.0, 1e-5)}),
        (0, {"outcome": "admitted", "kind": "score", "work": "spring/fold/1"}),
        (0, {"outcome": "sent", "kind": "release", "bytes": 2**20}),
    ):
        ledger.append(Record.model_validate({"time": NOW - timedelta(days=days), **facts}))
    told = by_rule(site)
    assert {rule: quota.used for rule, quota in told.items() if rule != "epsilon_in_all"} == {
        "releases_in_all": 2,
        "scorings_in_all": 1,
        "tunings_a_day": 1,
        "scorings_a_day": 1,
        "mebibytes_a_day": 1.0,
        "refusals_a_day": 0,
    }
    assert told["epsilon_in_all"].used == pytest.approx(3.0)
    assert by_rule(site, NOW + timedelta(days=2))["tunings_a_day"].used == 0


def test_a_policy_that_was_narrowed_since_leaves_nothing_and_never_less():
    spent = {str(number): signal_for(3.0, 1e-5) for number in range(9)}
    told = {quota.rule: quota for quota in quotas(history_of([], NOW), spent, Policy(epsilon_in_all=1.0))}
    assert told["epsilon_in_all"].used > 8
    assert told["epsilon_in_all"].left == 0


def test_a_policy_is_told_in_words_and_says_what_differs():
    plain, strict = "\n".join(in_words(Policy())), "\n".join(in_words(Policy(release="approve", tell_counts=True)))
    assert RULES["always"] in plain and RULES["approve"] in strict
    assert "Counts of recordings stay here." in plain and "Counts of recordings are told." in strict
    assert "the recipes demo" in plain
    assert "0.26" in plain
    assert "the recipes (none)" in "\n".join(in_words(Policy(recipes=[])))
    assert list(in_words(Policy(allow=[]))) == ["Nothing may leave."]


def test_a_certificate_beside_the_keepers_folder_is_dated_without_a_library_that_a_keeper_lacks(site):
    assert standing_of(site, site.state.parent, NOW).certificates == {}
    path = site.state.parent.parent / "relay" / "ca.crt"
    new_authority(path.with_name("ca.key"), path, now=datetime(2030, 1, 1, tzinfo=UTC))
    assert standing_of(site, site.state.parent, NOW).certificates == {str(path): "2039-12-30"}
    path.write_text("nothing of the kind")
    assert standing_of(site, site.state.parent, NOW).certificates == {}


def test_the_command_reads_the_sites_files_and_needs_no_keeper(capsys, site):
    file = site.state.parent / "site.toml"
    file.write_text(f'session = "clinic"\nroot = "{site.root}"\n')

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main(["keeper", "status", *map(str, arguments)])
        return left.value.code, *capsys.readouterr()

    status, told, _ = run("--site", file)
    assert status == 0
    assert told.startswith("site clinic holds 40 recordings: neutral 10")
    assert "releases: 0 of 20 in all, 20 left" in told
    assert "no release waits for your answer" in told
    plain = json.loads(run("--site", file, "--json")[1])
    assert (plain["well"], plain["site"]["waiting"], plain["site"]["left_out"]) == (True, 0, [])
    status, _, why = run()
    assert (status, why.count("\n")) == (2, 1)
    Ledger(site.ledger).append(Record(time=NOW, outcome="turned-away"))
    site.ledger.write_bytes(site.ledger.read_bytes()[:-9])
    assert run("--site", file)[0] == 1
    status, told, _ = run("--site", file, "--json")
    assert (status, json.loads(told)["well"]) == (1, False)
    site.ledger.unlink()
    note_of(site.ledger).unlink()
    (site.root / "recordings.csv").unlink()
    assert "holds nothing that can be used" in run("--site", file)[1]


def test_a_policy_that_takes_part_in_sums_says_with_whom_and_how_often():
    told = "\n".join(in_words(Policy(allow=["sum"])))
    assert "With sites that share a key with yours it adds to sums, the same numbers to one sum at the most." in told
    assert "May be run: the recipes" in told
    assert RULES["always"] not in told
    assert "sums" not in "\n".join(in_words(Policy()))


def test_a_ledger_that_lost_its_last_entry_is_told_of(site):
    assert standing_of(site, site.state.parent, NOW).problems == ()
    ledger = Ledger(site.ledger)
    for _ in range(2):
        ledger.append(Record(time=NOW, outcome="turned-away"))
    site.ledger.write_bytes(b"".join(site.ledger.read_bytes().splitlines(keepends=True)[:-1]))
    standing = standing_of(site, site.state.parent, NOW)
    assert "entries were cut off" in standing.problems[0]
    assert any(line.startswith("WARNING, the ledger") for line in standing.lines())
