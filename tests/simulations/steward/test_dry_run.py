"""A dry run in words names the price, the budget, and what the policy asks for."""

import re
from datetime import UTC, datetime

import pytest

from client.policy import Policy
from client.recipes import recipe_of
from client.rehearsal import rehearse
from client.site import Site
from client.spending import Spending
from client.standing import history_of, quotas
from client.survey import survey
from common.config import load_config
from common.privacy.accountant import signal_for
from simulations.cli import main
from simulations.steward.dry_run import lines

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
PRIVATE = ["gaussian.epsilon=4.0", 'vectors.normalisation="public"']


@pytest.fixture
def told(speech, tmp_path):
    """A function that gives what a site is told of the preset best."""
    site = Site(session="03+08", root=speech, state=tmp_path / "state", vectors=load_config("best").vectors)

    def tell(overrides=(), **rules):
        policy = Policy(**rules)
        found = rehearse(site, policy, load_config("best", overrides), NOW)
        return "\n".join(lines(survey(site), found, policy, quotas(history_of((), NOW), {}, policy)))

    return tell


def test_what_is_granted_is_told_with_its_price_and_that_nothing_was_sent(told):
    shown = told(release="always")
    assert "it would grant it" in shown
    assert "it would cost one release of the 20 that are left" in shown
    assert "epsilon" not in shown
    assert "so you would be asked" not in shown
    assert shown.endswith("nothing was sent, nothing was charged, and the ledger has no entry of this")


def test_a_private_release_is_told_with_the_budget_that_it_is_charged_to(told):
    shown = told(PRIVATE, recipes=(recipe_of(load_config("best", PRIVATE)).digest,))
    assert re.search(r"its epsilon is charged too: .*: 0 of 8 in all, 8 left before it", shown)


def test_the_command_counts_what_a_lost_ledger_spent(speech, tmp_path, capsys):
    site = Site(session="03+08", root=speech, state=tmp_path / "state")
    Spending(site.ledger).add({"of a lost ledger": signal_for(2.0, 1e-5)})
    (tmp_path / "policy.toml").write_text(f'recipes = ["{recipe_of(load_config("best", PRIVATE)).digest}"]\n')
    spelled = f'session = "03+08"\nroot = "{speech}"\npolicy = "policy.toml"\n[vectors]\nset = "functionals"\n'
    (tmp_path / "site.toml").write_text(spelled)
    changes = [word for change in PRIVATE for word in ("--set", change)]
    with pytest.raises(SystemExit):
        main(["keeper", "dry-run", "--site", str(tmp_path / "site.toml"), "--preset", "best", *changes])
    assert re.search(r"its epsilon is charged too: .*: 2 of 8 in all, 6 left before it", capsys.readouterr().out)


def test_a_site_of_few_speakers_is_told_that_its_audit_will_leave_the_answer_to_a_person(told):
    asked = "its audit says release with 11 speakers at least, and you have 10: so you would be asked"
    assert asked in told(release="audited", audit={"speakers": 11})
    assert "so you would be asked" not in told(release="audited", audit={"speakers": 10})


def test_too_few_recordings_are_told_with_how_many_the_policy_asks_for(told):
    shown = told(minimum_utterances=11)
    assert "too-few-utterances" in shown
    assert "at least 11 recordings of" in shown
