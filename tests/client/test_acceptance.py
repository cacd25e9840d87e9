"""A steward's yes adds one digest to the policy; all else in the file stays as its people wrote it."""

import shutil

import pytest

from client.acceptance import accept, propose_base, propose_recipe
from client.bounds import Bounds
from client.policy import load_policy
from client.recipes import preset_recipes
from common.config.loading import load_config
from common.errors import UserError
from common.training.checkpoint import CARD
from common.training.pretrained import shipped_weights

BEFORE = {
    "empty": "",
    "only comments": "# ours\n# recipes = []\n",
    "other rules": 'release = "approve"  # we look at each\nminimum_speakers = 3\n',
    "a table": "# ours\n[bounds]\nsteps = [200, 900]  # recipes = []\n",
    "a list in one line": 'recipes = ["{}"]  # agreed in May\nrelease = "audited"\n',
    "a list in several lines": 'release = "audited"\nrecipes = [\n  "{}",\n]\n\n[bounds]\nsteps = [200, 900]\n',
}
"""Policies as people write them; a digest that stands in one already is put in for {}."""


@pytest.fixture(scope="module")
def proposal():
    """A recipe that no preset has."""
    return propose_recipe(load_config("demo", ["finetuning.iterations=121"]), Bounds())


@pytest.fixture
def policy(tmp_path):
    return tmp_path / "policy.toml"


@pytest.mark.parametrize("text", BEFORE.values(), ids=BEFORE)
def test_accepting_lists_the_digest_and_changes_nothing_else(proposal, policy, text):
    policy.write_text(text.replace("{}", next(iter(preset_recipes()))))
    before = load_policy(policy)
    assert not proposal.is_accepted(before)
    accept(proposal, policy)
    after = load_policy(policy)
    assert after.recipes == (*before.recipes, proposal.digest)
    assert after.model_copy(update={"recipes": before.recipes}) == before
    unchanged = [line for line in text.splitlines() if not line.startswith(("recipes", "  ", "]"))]
    assert [line for line in policy.read_text().splitlines() if line in unchanged] == unchanged
    assert proposal.is_accepted(after)


def test_accepting_two_in_turn_lists_both(proposal, policy):
    policy.write_text("[bounds]\nsteps = [100, 900]\n")
    other = propose_recipe(load_config("demo", ["finetuning.iterations=122"]), Bounds())
    accept(proposal, policy)
    accept(other, policy)
    assert load_policy(policy).recipes[-2:] == (proposal.digest, other.digest)
    assert load_policy(policy).bounds.steps == (100, 900)


def test_a_file_that_cannot_be_changed_safely_stays_as_it_is(proposal, policy):
    """Its list holds a bracket in a comment, which would end it too early."""
    digest = next(iter(preset_recipes()))
    text = f'recipes = [  # as agreed [May]\n  "{digest}",\n]\n'
    policy.write_text(text)
    with pytest.raises(UserError, match="written in a way that this cannot change") as refused:
        accept(proposal, policy)
    assert proposal.digest in str(refused.value)
    assert str(policy) in str(refused.value)
    assert policy.read_text() == text
    assert list(policy.parent.iterdir()) == [policy]


def test_the_rights_of_the_file_stay(proposal, policy):
    policy.write_text("")
    policy.chmod(0o640)
    accept(proposal, policy)
    assert policy.stat().st_mode & 0o777 == 0o640


def test_what_the_bounds_of_a_site_refuse_is_told_with_the_proposal():
    few = propose_recipe(load_config("demo", ["finetuning.iterations=1"]), Bounds())
    assert any(line.startswith("steps is 1") for line in few.unusual)
    assert propose_recipe(load_config("demo"), Bounds()).unusual == ()


def test_public_networks_are_told_by_their_size_and_speech(policy):
    found = propose_base(shipped_weights("demo"), Bounds())
    assert found.unusual == ()
    assert found.facts[0].startswith(f"networks at {load_config('demo').network.width:g} of the paper's width")
    policy.write_text("bases = []\n")
    accept(found, policy)
    assert load_policy(policy).bases == (found.digest,)


def test_networks_whose_card_tells_no_size_are_refused(tmp_path):
    folder = tmp_path / "pretrained"
    shutil.copytree(shipped_weights("demo"), folder)
    card = folder / CARD
    card.write_text(card.read_text().replace('"network"', '"other"'))
    with pytest.raises(UserError, match="does not tell the networks' sizes"):
        propose_base(folder, Bounds())
