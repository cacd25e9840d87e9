"""A budget of privacy lasts a site's whole life: a private release is paid for once, and none beyond the budget."""

import json

import pytest
import torch

from client.keeper import Keeper
from client.ledger import Ledger, entries
from client.spending import SPENT, Spending
from common.errors import UserError
from common.privacy.accountant import signal_for
from common.settings import NetworkConfig, Section
from common.spaces import Patches
from common.synthesizers import Cost, Synthesizer
from common.synthesizers.synthesizer import Privacy
from common.wire import Code, Release, Stage, encode
from common.wire.messages import Refusal

LONG = 250.0
EPSILON = 3.0


class TinySettings(Section):
    """As many recipes as widths."""

    network: NetworkConfig = NetworkConfig(width=1 / 64)


PRIVATE = Synthesizer(
    name="private",
    paper="none",
    about="Six numbers.",
    released="six numbers",
    Settings=TinySettings,
    spaces=frozenset({Patches}),
    cost=lambda settings, space, classes: Cost(1, 0),
    fit=lambda fitting, settings: {"w": torch.ones(2, 3)},
    shapes=lambda settings, space, classes: {"w": (2, 3)},
    sampler=lambda *arguments: None,
    privacy=lambda settings: Privacy(EPSILON, 1e-5),
)


@pytest.fixture
def requests(install, order):
    """Four recipes, each of which promises epsilon 3."""
    install(PRIVATE)
    return [order("private", TinySettings(network=NetworkConfig(width=1 / width))) for width in (64, 32, 16, 8)]


@pytest.fixture
def site_of(site, with_policy, requests):
    def make(text="tell_counts = true\nepsilon_in_all = 5.0"):
        recipes = ", ".join(f'"{request.tuning.recipe.digest}"' for request in requests)
        return with_policy(site, f"recipes = [{recipes}]\n{text}")

    return make


def test_releases_are_paid_for_until_the_budget_is_spent(site_of, requests, said):
    site = site_of()
    keeper = Keeper(site)
    told = [said(keeper, request, LONG) for request in requests]
    assert [type(one) for one in told] == [Release, Release, Refusal, Refusal]  # 3 and 3 are 4.4, with 3 more 5.6
    assert {(one.code, one.stage) for one in told[2:]} == {(Code.PRIVACY_SPENT, Stage.ADMIT)}
    signals = [entry.signal for entry in entries(site.ledger) if entry.outcome == "admitted"]
    assert signals == [pytest.approx(signal_for(EPSILON, 1e-5))] * 2


def test_the_same_release_again_costs_nothing(site_of, requests, said):
    keeper = Keeper(site_of("epsilon_in_all = 3.1"))
    first, again = (said(keeper, requests[0], LONG) for _ in range(2))
    assert encode(first) == encode(again)


def test_it_is_refused_beyond_the_budget_by_a_keeper_that_was_started_anew(site_of, requests, said):
    site = site_of("epsilon_in_all = 3.1")
    assert isinstance(said(Keeper(site), requests[0], LONG), Release)
    assert said(Keeper(site), requests[1], LONG).code is Code.PRIVACY_SPENT


def test_a_ledger_that_is_begun_anew_gives_no_budget_back(site_of, requests, said, clock):
    site = site_of("epsilon_in_all = 3.1")
    said(Keeper(site), requests[0], LONG)
    site.ledger.write_bytes(b"")
    Ledger(site.ledger).accept(clock())
    assert said(Keeper(site), requests[1], LONG).code is Code.PRIVACY_SPENT


def test_what_the_ledger_alone_remembers_counts_too(site_of, requests, said):
    site = site_of("epsilon_in_all = 3.1")
    said(Keeper(site), requests[0], LONG)
    (site.state / SPENT).unlink()
    assert said(Keeper(site), requests[1], LONG).code is Code.PRIVACY_SPENT


def test_a_damaged_budget_lets_nothing_private_out(site_of, requests, said):
    site = site_of()
    (site.state).mkdir(parents=True, exist_ok=True)
    (site.state / SPENT).write_text("{")
    assert said(Keeper(site), requests[0], LONG).code is Code.FAILED
    with pytest.raises(UserError, match="cannot be read"):
        Spending(site.ledger).read()


def test_counts_and_seconds_of_a_private_release_stay_here_whatever_the_policy_tells(site_of, requests, said):
    card = said(Keeper(site_of()), requests[0], LONG).card
    assert (card.utterances, card.seconds) == (None, 0)


def test_what_is_not_private_costs_no_privacy(keeper, site, said, ask_to_tune):
    assert isinstance(said(keeper, ask_to_tune(), LONG), Release)
    assert not (site.state / SPENT).exists()
    assert {entry.signal for entry in entries(site.ledger)} == {0.0}


def test_the_file_keeps_every_work(tmp_path):
    spending = Spending(tmp_path / "ledger.jsonl")
    assert spending.read() == {}
    spending.add({"a": 0.5})
    spending.add({"b": 0.25})
    spending.add({"a": 9.0})
    assert json.loads(spending.path.read_text()) == {"works": {"a": 0.5, "b": 0.25}}
