"""A site takes part in sums over sites with which it shares keys, answers each step once, and never tells a number."""

import itertools
import shutil

import numpy as np
import pytest

from client import sums
from client.dice import SECRET
from client.keeper import Keeper
from client.ledger import entries
from client.peers import Peers
from client.recipes import recipe_of
from client.site import Site
from common.config.loading import load_config
from common.features.spaces import identity_in, space_made
from common.privacy.summation import Collector, Opening, from_grid, to_grid
from common.settings import RuntimeConfig
from common.wire import (
    AddToSum,
    CloseSum,
    Code,
    Masked,
    Opened,
    OpenSum,
    Precision,
    Refusal,
    Shared,
    Stage,
    Summing,
    Tune,
    Tuning,
    as_words,
)

NAMES = ("a", "b", "c")
ONE = RuntimeConfig(threads=1, workers=1)
CONFIG = load_config("privacy", ["release.summed=true"])
PRIVATE = load_config("privacy", ["release.summed=true", "gaussian.epsilon=8.0"])
RULES = f"""
allow = ["description", "sum"]
recipes = {[recipe_of(one).digest for one in (CONFIG, PRIVATE)]}
epsilon_in_all = 100
"""


@pytest.fixture(scope="module")
def warm(speech, tmp_path_factory, with_policy):
    """The state of a site that has computed its features."""
    state = tmp_path_factory.mktemp("warm") / "state"
    site = with_policy(Site(session="a", root=speech, state=state, runtime=ONE), RULES)
    Keeper(site)._brought(summing("a"))
    for path in (state / SECRET, *state.glob("ledger*")):
        path.unlink()
    return state


@pytest.fixture
def site_of(speech, tmp_path, with_policy, warm):
    """A site of this name under a policy that grants sums, and what is given beside."""

    def make(name, rules="", *, keys=NAMES):
        state = tmp_path / name / "state"
        if not state.exists():
            shutil.copytree(warm, state)
        for other in set(keys) - {name, *Peers(state).names()}:
            Peers(state).keep(other, f"{min(name, other)}{max(name, other)}".encode() * 16)
        return with_policy(Site(session=name, root=speech, state=state, runtime=ONE), RULES + rules)

    return make


@pytest.fixture
def keepers(site_of):
    return {name: Keeper(site_of(name)) for name in NAMES}


def summing(site, config=CONFIG, sites=NAMES, **changed):
    space = space_made(config)
    about = {"run": "run-1", "session": site, "labels": config.corpus.emotions, "weights": None, "scaling": None}
    about |= {"features": identity_in(space, config)}
    tuning = Tuning.model_validate(recipe_of(config).model_dump() | about)
    return Summing(**({"tuning": tuning, "name": "everyone", "sites": sites} | changed))


def opened(keepers, said, **changed):
    """The server of a round whose sites have opened it."""
    collector = Collector(summing("a", **changed).round)
    for name, keeper in keepers.items():
        told = said(keeper, OpenSum(summing=summing(name, **changed)))
        assert isinstance(told, Opened), told
        seals = {other: bytes.fromhex(seal) for other, seal in told.seals.items()}
        collector.opened(Opening(name, seals, bytes.fromhex(told.keys)))
    return collector


def to_add(collector, site, **changed):
    seals = {other: seal.hex() for other, seal in collector.seals_for(site).items()}
    return AddToSum(summing=summing(site, **changed), seals=seals)


def added(keepers, said, **changed):
    collector = opened(keepers, said, **changed)
    for name, keeper in keepers.items():
        told = said(keeper, to_add(collector, name, **changed))
        assert isinstance(told, Masked), told
        collector.add(name, as_words(told.masked["words"]))
    return collector


def to_close(collector, site, **changed):
    return CloseSum(summing=summing(site, **changed), present=tuple(sorted(collector.present)))


def totalled(keepers, said, **changed):
    collector = added(keepers, said, **changed)
    for name, keeper in keepers.items():
        told = said(keeper, to_close(collector, name, **changed))
        assert isinstance(told, Shared), told
        collector.told(name, {site: bytes.fromhex(share) for site, share in told.shares.items()})
    return collector.total()


def truth(keeper, site, **changed):
    return keeper._brought(summing(site, **changed))


def word(told):
    assert isinstance(told, Refusal), told
    return told.code


class TestRound:
    """What three sites and a server come to."""

    @pytest.mark.parametrize("config", [CONFIG, PRIVATE], ids=["exact", "private"])
    def test_the_sum_of_what_keepers_sent_is_that_of_their_numbers_to_the_last_bit(self, keepers, said, config):
        numbers = {name: truth(keeper, name, config=config) for name, keeper in keepers.items()}
        total = totalled(keepers, said, config=config)
        assert np.array_equal(total, sum(to_grid(value, len(NAMES)) for value in numbers.values()))
        assert np.abs(from_grid(total)).max() > 1

    def test_what_a_site_sends_has_nothing_in_common_with_its_numbers(self, keepers, said):
        collector = added(keepers, said)
        for name, keeper in keepers.items():
            exact = to_grid(truth(keeper, name), len(NAMES))
            assert not np.isin(collector._masked[name], exact).any()
        assert np.isin(exact, exact).all()  # a control

    def test_a_keeper_that_was_killed_between_two_steps_goes_on_as_if_nothing_had_been(self, site_of, said):
        class Killed(dict):
            def items(self):
                return ((name, Keeper(site_of(name))) for name in NAMES)

        started = {name: Keeper(site_of(name)) for name in NAMES}
        expected = sum(to_grid(truth(keeper, name), len(NAMES)) for name, keeper in started.items())
        assert np.array_equal(totalled(Killed(), said), expected)

    def test_noise_is_drawn_anew_for_each_round_and_is_the_same_again_in_one(self, keepers):
        one, again, other = (
            truth(keepers["a"], "a", config=PRIVATE, name=one) for one in ("everyone", "everyone", "x")
        )
        assert np.array_equal(one, again)
        assert not np.isclose(one, other).any()


class TestSteps:
    """Each is answered once."""

    def test_the_same_question_gets_the_same_answer_and_another_one_none(self, keepers, said):
        collector = opened(keepers, said)
        asked = to_add(collector, "a")
        first, again = said(keepers["a"], asked), said(keepers["a"], asked)
        assert np.array_equal(first.masked["words"], again.masked["words"])
        fewer = asked.model_copy(update={"seals": {"b": asked.seals["b"]}})
        assert word(said(keepers["a"], fewer)) is Code.ANSWERED

    def test_shares_are_told_once_so_that_nobody_has_both_of_a_site(self, keepers, said):
        collector = added(keepers, said)
        assert isinstance(said(keepers["a"], to_close(collector, "a")), Shared)
        other = CloseSum(summing=summing("a"), present=("a", "b"))
        assert word(said(keepers["a"], other)) is Code.ANSWERED

    def test_a_rounds_name_is_used_once(self, keepers, said):
        opened(keepers, said)
        assert word(said(keepers["a"], OpenSum(summing=summing("a", config=PRIVATE)))) is Code.ANSWERED
        assert isinstance(said(keepers["a"], OpenSum(summing=summing("a", config=PRIVATE, name="other"))), Opened)

    def test_one_whose_answers_were_deleted_is_not_begun_again_under_the_same_masks(self, keepers, site_of, said):
        opened(keepers, said)
        shutil.rmtree(site_of("a").state / sums.SUMS)
        assert word(said(keepers["a"], OpenSum(summing=summing("a")))) is Code.ANSWERED
        assert isinstance(said(keepers["a"], OpenSum(summing=summing("a", name="other"))), Opened)

    def test_none_is_taken_before_the_one_before_it(self, keepers, said):
        assert word(said(keepers["a"], CloseSum(summing=summing("a"), present=NAMES))) is Code.ANSWERED
        seals = dict.fromkeys(("b", "c"), "00" * 164)
        assert word(said(keepers["a"], AddToSum(summing=summing("a"), seals=seals))) is Code.ANSWERED

    def test_numbers_that_were_changed_since_do_not_leave_under_the_same_masks(self, keepers, said, monkeypatch):
        collector = opened(keepers, said)
        first = said(keepers["a"], to_add(collector, "a"))
        monkeypatch.setattr(sums.Site, "mask", lambda *arguments: pytest.fail("masked again"))
        assert np.array_equal(said(keepers["a"], to_add(collector, "a")).masked["words"], first.masked["words"])


class TestRefusals:
    """Whom a site lets into a sum."""

    def test_under_the_default_policy_a_site_takes_part_in_no_sum(self, site_of, said, caplog):
        site = site_of("a", 'allow = ["description", "release", "scored"]'.replace("allow", "# allow"))
        text = site.policy.read_text()
        site.policy.write_text("\n".join(line for line in text.splitlines() if not line.startswith("allow")))
        told = said(Keeper(site), OpenSum(summing=summing("a")))
        assert (word(told), told.stage) == (Code.SUMS_FORBIDDEN, Stage.ADMIT)
        assert "the site takes part in no sums; its steward can allow them" in caplog.text

    def test_with_a_site_whose_key_it_lacks_it_opens_nothing(self, site_of, said, caplog):
        told = said(Keeper(site_of("a", keys=("b",))), OpenSum(summing=summing("a")))
        assert (word(told), told.stage) == (Code.NO_KEY, Stage.SUM)
        assert "c; exchange one with that site's steward" in caplog.text

    def test_a_seal_of_a_stranger_or_of_another_round_is_none(self, keepers, said):
        collector, other = opened(keepers, said), opened(keepers, said, name="other")
        asked = to_add(collector, "a")
        for false in ("ab" * 164, to_add(other, "a", name="other").seals["b"]):
            turned = asked.model_copy(update={"seals": asked.seals | {"b": false}})
            assert word(said(keepers["a"], turned)) is Code.SEAL
        assert isinstance(said(keepers["a"], asked), Masked)

    def test_fewer_than_three_sites_are_no_sum(self):
        for sites in ((), ("a",), ("a", "b")):
            with pytest.raises(ValueError, match="at least 3 items"):
                summing("a", sites=sites)

    def test_fewer_than_half_that_are_left_are_told_nothing(self, keepers, said):
        collector = opened(keepers, said)
        alone = AddToSum(summing=summing("a"), seals={})
        assert word(said(keepers["a"], alone)) is Code.TOO_FEW_SITES
        assert isinstance(said(keepers["a"], to_add(collector, "a")), Masked)
        assert word(said(keepers["a"], CloseSum(summing=summing("a"), present=("a",)))) is Code.TOO_FEW_SITES

    def test_whoever_took_no_part_cannot_be_present(self, keepers, said):
        collector = opened({name: keepers[name] for name in ("a", "b")}, said)
        assert isinstance(said(keepers["a"], to_add(collector, "a")), Masked)
        assert word(said(keepers["a"], CloseSum(summing=summing("a"), present=NAMES))) is Code.BAD_FIELD

    @pytest.mark.parametrize("sites", [("b", "a", "c"), ("a", "a", "b", "c"), ("b", "c", "d")], ids=str)
    def test_sites_are_in_order_and_the_one_that_is_asked_is_among_them(self, sites):
        with pytest.raises(ValueError, match=r"in the order of their names|not among the sites"):
            summing("a", sites=sites)

    def test_what_is_asked_for_in_a_sum_is_not_given_alone(self, site_of, said):
        site = site_of("a", "")
        text = site.policy.read_text().replace('["description", "sum"]', '["description", "release", "sum"]')
        site.policy.write_text(text)
        told = said(Keeper(site), Tune(tuning=summing("a").tuning, shipped=False, base={}))
        assert word(told) is Code.FORM

    def test_the_recipe_of_a_sum_is_another_than_that_of_a_release(self, keepers, said):
        alone = load_config("privacy")
        assert recipe_of(alone).digest != recipe_of(CONFIG).digest
        with pytest.raises(ValueError, match="not of a sum"):
            summing("a", config=alone)
        other = load_config("privacy", ["release.summed=true", "gaussian.directions=3"])
        assert word(said(keepers["a"], OpenSum(summing=summing("a", config=other)))) is Code.RECIPE_FORBIDDEN

    def test_what_does_not_add_up_cannot_be_summed(self, tune):
        with pytest.raises(ValueError, match=r"eskimez is not made of sums: set release\.summed to false, or choose g"):
            Tuning.model_validate(tune.tuning.model_dump() | {"summed": True})


class TestAccounts:
    """What was added to a sum has left."""

    def test_numbers_go_to_one_sum_alone(self, keepers, said):
        added(keepers, said)
        collector = opened(keepers, said, name="other")
        assert word(said(keepers["a"], to_add(collector, "a", name="other"))) is Code.ADDED

    def test_a_policy_may_grant_more_as_a_simulation_does(self, site_of, said):
        keepers = {name: Keeper(site_of(name, "sums_of_one = 2")) for name in NAMES}
        added(keepers, said)
        added(keepers, said, name="other")
        collector = opened(keepers, said, name="third")
        assert word(said(keepers["a"], to_add(collector, "a", name="third"))) is Code.ADDED

    def test_they_count_once_among_releases_and_stand_in_the_ledger(self, site_of, said):
        sites = {name: site_of(name, "releases_in_all = 1") for name in NAMES}
        keepers = {name: Keeper(site) for name, site in sites.items()}
        collector = added(keepers, said)
        for _ in range(2):
            assert isinstance(said(keepers["a"], to_add(collector, "a")), Masked)
        collector = opened(keepers, said, name="other", config=PRIVATE)
        assert word(said(keepers["a"], to_add(collector, "a", name="other", config=PRIVATE))) is Code.RELEASES_SPENT
        told = [entry for entry in entries(sites["a"].ledger) if entry.kind == "masked"]
        assert [entry.outcome for entry in told] == ["sent"] * 3
        assert told[0].tensors == {"masked.words": f"I8[{summing('a').bytes}]"}

    def test_epsilon_is_charged_once_for_a_round(self, site_of, said):
        keepers = {name: Keeper(site_of(name)) for name in NAMES}
        used = [keepers["a"]._gate.quotas()]
        collector = added(keepers, said, config=PRIVATE)
        used.append(keepers["a"]._gate.quotas())
        assert isinstance(said(keepers["a"], to_add(collector, "a", config=PRIVATE)), Masked)
        used.append(keepers["a"]._gate.quotas())
        epsilons = [next(one.used for one in quotas if one.rule == "epsilon_in_all") for quotas in used]
        assert epsilons[0] == 0
        assert epsilons[1] == epsilons[2] == pytest.approx(8, rel=0.01)

    def test_no_key_and_no_number_stands_in_the_ledger_or_the_log(self, site_of, said, caplog):
        site = site_of("a")
        keepers = {name: Keeper(site_of(name)) for name in NAMES}
        totalled(keepers, said)
        key = Peers(site.state).key("b")
        assert key.hex() not in site.ledger.read_text() + caplog.text
        chance = (site.state / sums.SUMS / "run-1@everyone" / sums.CHANCE).read_text().strip()
        assert chance not in site.ledger.read_text()

    def test_files_of_a_round_are_the_sites_alone(self, site_of, said):
        keepers = {name: Keeper(site_of(name)) for name in NAMES}
        totalled(keepers, said)
        folder = site_of("a").state
        kept = itertools.chain(folder.glob(f"{sums.SUMS}/*/*"), folder.glob("peers/*"))
        assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}


def test_rounds_do_not_fill_a_sites_disk(site_of, said):
    full = Keeper(site_of("a", "gibibytes_of_state = 0.000001"))
    assert word(said(full, OpenSum(summing=summing("a")))) is Code.STATE_FULL
    assert isinstance(said(Keeper(site_of("a")), OpenSum(summing=summing("a"))), Opened)


def test_a_policy_that_lets_somebody_look_at_releases_has_no_sums(site_of):
    with pytest.raises(Exception, match="allow has 'sum' and release is approve: what is added to a sum cannot be"):
        Keeper(site_of("a", 'release = "approve"'))


def test_masked_numbers_travel_as_bytes():
    assert Precision.INT8.width == 1
    words = np.array([0, 1, 2**64 - 1, 2**63], dtype=np.uint64)
    assert np.array_equal(as_words(sums.as_tensor(words)), words)
