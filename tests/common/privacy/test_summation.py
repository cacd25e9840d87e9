"""Five sites and a server: the sum is exact, whoever goes away, and nothing else can be read."""

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from common.privacy.moments import Moments, Shares, moments
from common.privacy.sharing import SHARE
from common.privacy.summation import FRACTION, Collector, Round, Site, from_grid, to_grid

NAMES = ("a", "b", "c", "d", "e")
SIZE = 40
TOKEN = random.Random(0).randbytes
SECRETS = {pair: TOKEN(32) for pair in combinations(NAMES, 2)}
VALUES = {name: 100 * np.random.default_rng(number).normal(size=SIZE) for number, name in enumerate(NAMES)}


def site(name, asked=None, token=TOKEN):
    asked = asked or Round("run, round 1", NAMES, SIZE)
    secrets = {other: SECRETS[min(name, other), max(name, other)] for other in NAMES if other != name}
    return Site(asked, name, secrets, token)


def exactly(names):
    return sum(to_grid(VALUES[name], len(NAMES)) for name in names)


def begun(opening=NAMES):
    """Sites of a round and the server, after step 1."""
    collector, sites = Collector(Round("run, round 1", NAMES, SIZE)), {name: site(name) for name in NAMES}
    for name in opening:
        collector.opened(sites[name].open())
    return collector, sites


def summed(opening=NAMES, masking=NAMES, telling=NAMES):
    """The sum where some go away before each step."""
    collector, sites = begun(opening)
    for name in masking:
        collector.add(name, sites[name].mask(VALUES[name], collector.seals_for(name)))
    for name in telling:
        collector.told(name, sites[name].reveal(collector.present))
    return collector.total()


def test_a_sum_of_all_is_exact_to_the_bit():
    assert np.array_equal(summed(), exactly(NAMES))
    assert np.allclose(from_grid(summed()), sum(VALUES.values()), atol=5 * 2.0**-FRACTION)


@pytest.mark.parametrize("lost", NAMES)
def test_one_of_five_lost_before_or_after_any_step_costs_nothing_but_itself(lost):
    others = [name for name in NAMES if name != lost]
    assert np.array_equal(summed(others, others, others), exactly(others))
    assert np.array_equal(summed(NAMES, others, others), exactly(others))
    assert np.array_equal(summed(NAMES, NAMES, others), exactly(NAMES))


def test_two_lost_at_different_points_are_no_more_trouble():
    assert np.array_equal(summed(NAMES, NAMES[1:], NAMES[2:]), exactly(NAMES[1:]))
    assert np.array_equal(summed(NAMES[1:], NAMES[1:], NAMES[:1:-1]), exactly(NAMES[1:]))
    assert np.array_equal(summed(NAMES[1:], NAMES[2:], NAMES[2:]), exactly(NAMES[2:]))


def test_with_half_of_the_sites_gone_there_is_no_sum():
    with pytest.raises(UserError, match="2 of 5 sites are left, 3 are needed; repeat the round"):
        summed(NAMES, NAMES, NAMES[:2])
    with pytest.raises(UserError, match="2 of 5 sites are left"):
        summed(NAMES, NAMES[:2], NAMES[:2])
    with pytest.raises(UserError, match="2 of 5 sites are left"):
        summed(NAMES[:2], NAMES[:2], NAMES[:2])


def test_moments_summed_unseen_are_those_summed_in_the_open_to_the_last_bit():
    stream = np.random.default_rng(0)
    asked, shares = Round("run, moments", NAMES, 3 + 12 + 10), Shares(0.1, 0.5, 0.4)
    own = {n: moments(stream.normal(size=(9, 4)), np.arange(9) % 3, 3, 2.0, shares).vector() for n in NAMES}
    collector, sites = Collector(asked), {name: site(name, asked) for name in NAMES}
    for one in sites.values():
        collector.opened(one.open())
    for name, one in sites.items():
        collector.add(name, one.mask(own[name], collector.seals_for(name)))
    for name, one in sites.items():
        collector.told(name, one.reveal(collector.present))
    in_the_open = from_grid(sum(to_grid(vector, 5) for vector in own.values()))
    assert np.array_equal(from_grid(collector.total()), in_the_open)
    assert np.allclose(Moments.of_vector(from_grid(collector.total()), 3, 4).counts, 15)


def test_what_a_site_sends_is_noise_to_whoever_lacks_a_share():
    """Bits are even, two rounds are unlike, and masks taken off but for one still leave noise."""
    collector, sites = begun()
    sent = {name: sites[name].mask(np.zeros(SIZE), collector.seals_for(name)) for name in NAMES}
    bits = np.unpackbits(sent["a"].view(np.uint8))
    assert bits.mean() == pytest.approx(0.5, abs=0.04)
    again = begun()
    assert not np.array_equal(sent["a"], again[1]["a"].mask(np.zeros(SIZE), again[0].seals_for("a")))
    assert np.abs(from_grid(sum(sent.values()))).max() > 2.0**30  # own masks are still on it


def test_nobody_tells_both_of_a_sites_secrets():
    collector, sites = begun()
    for name in NAMES:
        sites[name].mask(VALUES[name], collector.seals_for(name))
    told = {name: sites[name].reveal(frozenset("abcd")) for name in "abc"}
    assert {share["e"] for share in told.values()} == {sites[name]._shares["e"][SHARE:] for name in "abc"}
    assert {share["d"] for share in told.values()} == {sites[name]._shares["d"][:SHARE] for name in "abc"}
    with pytest.raises(UserError, match="tells its shares once"):
        sites["a"].reveal(frozenset(NAMES))


def test_a_server_that_says_otherwise_to_each_half_gets_no_numbers():
    """It has all numbers, tells three sites that e is gone and two that it is there: two shares are too few."""
    collector, sites = begun()
    for name in NAMES:
        collector.add(name, sites[name].mask(VALUES[name], collector.seals_for(name)))
    told = {name: sites[name].reveal(frozenset("abcd")) for name in "abc"}
    told |= {name: sites[name].reveal(frozenset(NAMES)) for name in "de"}
    for name, shares in told.items():
        collector.told(name, shares)
    with pytest.raises(UserError, match="do not belong together"):
        collector.total()


def test_a_site_is_asked_about_a_majority_or_says_nothing():
    collector, sites = begun()
    sites["a"].mask(VALUES["a"], collector.seals_for("a"))
    with pytest.raises(UserError, match="2 of 5 sites are left"):
        sites["a"].reveal(frozenset("ab"))
    with pytest.raises(UserError, match="numbers of sites that take no part: x"):
        sites["a"].reveal(frozenset("abcx"))
    assert len(sites["a"].reveal(frozenset("abc"))) == 5


def test_each_step_is_answered_once_and_in_order():
    collector, sites = begun()
    seals = collector.seals_for("a")
    with pytest.raises(UserError, match="tells its shares once, after"):
        sites["a"].reveal(frozenset(NAMES))
    masked = sites["a"].mask(VALUES["a"], seals)
    with pytest.raises(UserError, match="masks its numbers once"):
        sites["a"].mask(2 * VALUES["a"], seals)
    with pytest.raises(UserError, match="masks its numbers once, after it has opened"):
        site("a").mask(VALUES["a"], seals)
    collector.add("a", masked)
    with pytest.raises(UserError, match="answers each step of a round once: a, run, round 1"):
        collector.add("a", masked)
    with pytest.raises(UserError, match="answers each step of a round once"):
        collector.opened(site("a").open())


def test_whoever_comes_after_the_round_has_begun_is_not_in_it():
    collector, sites = begun("abcd")
    collector.seals_for("a")
    with pytest.raises(UserError, match="the round has begun without this site: e"):
        collector.opened(sites["e"].open())
    with pytest.raises(UserError, match="takes no part: e"):
        collector.add("e", np.zeros(SIZE, dtype=np.uint64))


def test_strangers_and_seals_of_another_round_are_refused():
    collector, sites = begun()
    with pytest.raises(UserError, match="a stranger to this round: x"):
        collector.add("x", np.zeros(SIZE, dtype=np.uint64))
    with pytest.raises(UserError, match="a stranger to this round: x"):
        sites["a"].mask(VALUES["a"], {"x": b""})
    other = site("b", Round("run, round 2", NAMES, SIZE)).open()
    with pytest.raises(UserError, match="a seal does not fit: b"):
        sites["a"].mask(VALUES["a"], collector.seals_for("a") | {"b": other.seals["a"]})
    with pytest.raises(UserError, match="a shares no secret of 32 bytes: c, d, e"):
        Site(Round("run, round 1", NAMES, SIZE), "a", {"b": TOKEN(32), "c": b"short"}, TOKEN)


def test_numbers_and_answers_of_another_form_are_refused():
    collector, sites = begun()
    for wrong in (np.zeros(SIZE), np.zeros(3, dtype=np.uint64)):
        with pytest.raises(UserError, match="40 words are summed"):
            collector.add("a", wrong)
    with pytest.raises(UserError, match="40 numbers are summed"):
        sites["a"].mask(VALUES["a"][:3], collector.seals_for("a"))
    for wrong in ({"a": bytes(SHARE)}, dict.fromkeys(NAMES, b"")):
        with pytest.raises(UserError, match="other shares than it was asked for: a"):
            collector.told("a", wrong)


@given(st.lists(st.lists(st.floats(-1e9, 1e9), min_size=3, max_size=3), min_size=1, max_size=8))
def test_fixed_point_sums_are_those_of_the_rounded_numbers(rows):
    total = sum(to_grid(row, len(rows)) for row in rows)
    rounded = [sum(round(float(value) * 2**FRACTION) for value in column) for column in zip(*rows, strict=True)]
    assert from_grid(total).tolist() == [value / 2**FRACTION for value in rounded]


def test_what_fixed_point_cannot_hold_is_refused_at_the_site():
    assert from_grid(to_grid([-1.5, 0.0], 3)).tolist() == [-1.5, 0.0]
    for value in (np.nan, np.inf, 2.0**39 / 5):
        with pytest.raises(UserError, match="numbers to sum are finite and below"):
            to_grid([value], 5)


def test_a_round_of_two_or_of_names_out_of_order_is_none():
    for names in (("a", "b"), ("b", "a", "c"), ("a", "a", "b")):
        with pytest.raises(UserError, match="a sum needs 3 different sites"):
            Round("run", names, 1)
    with pytest.raises(UserError, match="needs a number"):
        Round("run", NAMES, 0)


def test_a_round_says_how_much_a_site_sends():
    collector, sites = begun()
    opening = sites["a"].open() if "a" not in collector.openings else collector.openings["a"]
    for name in NAMES:
        collector.add(name, sites[name].mask(VALUES[name], collector.seals_for(name)))
    shares = sites["a"].reveal(collector.present)
    sent = sum(map(len, opening.seals.values())) + len(opening.keys) + 8 * SIZE + sum(map(len, shares.values()))
    assert collector.round.sent == sent
