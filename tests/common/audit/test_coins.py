"""Coins are fair, each utterance's own, and leave every emotion somebody."""

import numpy as np
import pytest

from common.audit.coins import ALWAYS, IN, OUT, check_coins, members, throw
from common.errors import UserError

LABELS = np.arange(68) % 4


def test_they_are_fair_and_of_each_other_nothing_is_told():
    coins = throw(LABELS, 400, seed=1)
    thrown = coins != ALWAYS
    assert (coins == IN).sum() / thrown.sum() == pytest.approx(0.5, abs=0.01)
    first, second = coins[:, 0], coins[:, 4]  # of one emotion: equal halves would make them differ
    both = (first != ALWAYS) & (second != ALWAYS)
    assert (first == second)[both].mean() == pytest.approx(0.5, abs=0.08)


def test_every_emotion_has_two_that_are_always_in_other_ones_in_each_twin():
    coins = throw(LABELS, 8, seed=1)
    for emotion in range(4):
        assert ((coins == ALWAYS)[:, emotion == LABELS].sum(axis=1) == 2).all()
    assert len({tuple(np.flatnonzero(row == ALWAYS)) for row in coins}) == 8


def test_the_same_seed_throws_the_same_and_another_others():
    assert (throw(LABELS, 8, seed=1) == throw(LABELS, 8, seed=1)).all()
    assert (throw(LABELS, 8, seed=1) != throw(LABELS, 8, seed=2)).any()


def test_members_are_all_but_those_left_out():
    assert members(np.array([OUT, IN, ALWAYS, OUT], dtype=np.int8)).tolist() == [1, 2]


def test_an_emotion_that_nobody_spoke_is_no_obstacle():
    coins = throw([0] * 9 + [2] * 9, 8, seed=0)
    assert coins.shape == (8, 18)


def test_no_utterance_at_all_is_refused():
    with pytest.raises(UserError, match="no utterance to audit"):
        throw([], 8, seed=0)


@pytest.mark.parametrize("kind", [IN, OUT])
def test_a_twin_whose_coins_are_all_alike_is_refused(kind):
    coins = throw(LABELS, 8, seed=0)
    check_coins(coins)
    coins[3][coins[3] != ALWAYS] = kind
    with pytest.raises(UserError, match="coins of a twin are all alike: twin 4"):
        check_coins(coins)


def test_twins_that_are_one_are_refused():
    coins = throw(LABELS, 8, seed=0)
    with pytest.raises(UserError, match="the same utterances"):
        check_coins(np.tile(coins[:1], (8, 1)))
