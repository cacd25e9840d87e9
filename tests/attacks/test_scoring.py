"""A scoring must not tell who is in the data: the counts of a matched filter, exact and as a site gives them."""

from math import comb, exp

import numpy as np
import pytest
import torch

from client.dice import Dice
from client.keeper import Keeper
from client.policy import Policy
from client.scoring import noised
from common.features.patches import windows
from common.features.scaling import Scaling
from common.settings import EMOTIONS, FinetuningConfig, NetworkConfig
from common.training.stages import Pair
from common.wire import Code
from tests.attacks.clinic import (
    LEVELS,
    WINDOW_HOP,
    accepting,
    open_bounds,
    said,
    score_request,
    site,
    tune_request,
)
from tests.attacks.scoring import Public, heard, oracle

NETWORK = NetworkConfig(width=1 / 16)
QUERIES, AT_ONCE = 6, 3
"""Scorings with exact counts, and recordings asked for in each: as many as there are classes beside `neutral`."""
LIVES = 2000
"""Of a site, each with other dice."""


@pytest.fixture(scope="module")
def invitation():
    """A tuning so small that a site takes part in a run at once."""
    base = Pair.fresh(NETWORK, len(EMOTIONS), seed=0)
    return tune_request(base, NETWORK, FinetuningConfig(iterations=1, batch=1))


@pytest.fixture
def keeper_of(speech, tmp_path, invitation):
    """A keeper that has taken part in some runs, under the default policy but for what is given."""

    def make(*runs, **rules):
        keeper = Keeper(site(speech, tmp_path, accepting(invitation, bounds=open_bounds("window_hop"), **rules)))
        for run in runs:
            tuning = invitation.tuning.model_copy(update={"run": run})
            assert said(keeper, invitation.model_copy(update={"tuning": tuning})).kind == "release"
        return keeper

    return make


class Recordings:
    """All recordings as the attacker has them from elsewhere: windows, labels, and, for the judge, who is a member."""

    def __init__(self, speech, folder):
        everywhere = site(speech, folder).model_copy(update={"holds": ""})
        door = Keeper(everywhere)._door
        scaled = Scaling(LEVELS.low, LEVELS.high)
        self.windows = [windows(scaled.apply(log_mel), WINDOW_HOP) for log_mel in door.features]
        self.labels = [door.manifest.label_index(utterance) for utterance in door.manifest.utterances]
        self.member = np.array([utterance.session == "clinic" for utterance in door.manifest.utterances])

    def draw(self, chance, members, strangers):
        """So many of either; the public speech that whitens the filters is of strangers who are never drawn."""
        outside = np.flatnonzero(~self.member)[1::3]
        drawn = [*chance.choice(np.flatnonzero(self.member), members, replace=False)]
        return [*drawn, *chance.choice(outside, strangers, replace=False)]

    def public(self):
        outside = np.delete(np.flatnonzero(~self.member), np.s_[1::3])
        return Public.of(NETWORK, torch.cat([self.windows[number] for number in outside]))

    def oracle(self, candidates, public):
        return oracle([self.windows[number][:1] for number in candidates], public)


@pytest.fixture(scope="module")
def recordings(speech, tmp_path_factory):
    return Recordings(speech, tmp_path_factory.mktemp("everything"))


def test_exact_counts_without_a_budget_tell_who_is_there(keeper_of, recordings, note):
    keeper = keeper_of("run-1", scoring_epsilon="exact", scorings_in_all=QUERIES, minimum_test_utterances=1)
    public, chance, right = recordings.public(), np.random.default_rng(0), 0
    for query in range(QUERIES):
        candidates = recordings.draw(chance, members=2, strangers=1)
        request = score_request(recordings.oracle(candidates, public), "run-1", f"fold-{query}")
        (counts,) = said(keeper, request).counts
        for place, number in enumerate(candidates):
            right += heard(counts, recordings.labels[number], place) == recordings.member[number]
    note("scoring: who is in the data", off=f"{right} of {QUERIES * AT_ONCE} memberships right")
    assert right >= 0.9 * QUERIES * AT_ONCE


def test_a_run_that_the_site_had_no_part_in_is_not_scored(keeper_of, recordings):
    request = score_request(recordings.oracle([], recordings.public()), "run-1", "fold-1")
    assert said(keeper_of(), request).code is Code.NOT_IN_THAT_RUN


def test_a_fold_is_scored_once_and_a_life_has_few_scorings(keeper_of, recordings):
    public = recordings.public()
    budget = Policy().scorings_in_all
    keeper = keeper_of("run-1", minimum_test_utterances=1)
    asked = [score_request(recordings.oracle([number], public), "run-1", f"fold-{number}") for number in range(budget)]
    assert [said(keeper, request).kind for request in asked] == ["scored"] * budget
    other = recordings.oracle([budget], public)
    assert said(keeper, score_request(other, "run-1", "fold-0")).code is Code.FOLD_SCORED
    assert said(keeper, score_request(other, "run-1", "another")).code is Code.ALL_SCORINGS_SPENT
    assert said(keeper, asked[0]) == said(keeper, asked[0]), "the same again is given again: no second draw of noise"


def guesses(counts, rows, lives, policy):
    """How often each of some recordings is thought to be there by the majority of a life's answers, ties by chance.

    The best test there is (Neyman and Pearson): a count above zero is exp(epsilon) times as likely with the recording
    as without, any other as many times as likely without it.
    """
    said_yes = np.zeros((lives, len(rows)))
    for life in range(lives):
        dice = Dice(life.to_bytes(32, "big"))
        for query in range(policy.scorings_in_all):
            (told,) = noised((counts,), policy.scoring_epsilon, dice, f"run-{query}/fold")
            votes = [1 if heard(told, row, place) else -1 for place, row in enumerate(rows)]
            said_yes[life] += votes
    return (np.sign(said_yes) + 1) / 2


def best_guess(epsilon, queries):
    """The chance that the majority of so many answers is right, each of which is right with 1 / (1 + exp(-epsilon))."""
    p = 1 / (1 + exp(-epsilon))
    share = {True: 1.0, False: 0.0}
    return sum(
        comb(queries, k) * p**k * (1 - p) ** (queries - k) * (0.5 if 2 * k == queries else share[2 * k > queries])
        for k in range(queries + 1)
    )


def test_all_scorings_of_a_life_together_hardly_tell_who_is_there(keeper_of, recordings, note):
    exact = keeper_of("run-1", scoring_epsilon="exact", minimum_test_utterances=1)
    candidates = recordings.draw(np.random.default_rng(1), members=2, strangers=1)
    request = score_request(recordings.oracle(candidates, recordings.public()), "run-1", "fold")
    (counts,) = said(exact, request).counts
    rows = [recordings.labels[number] for number in candidates]
    there = np.array([heard(counts, row, place) for place, row in enumerate(rows)])
    assert (there == recordings.member[candidates]).all(), "the oracle itself must work, or this shows nothing"
    policy = Policy()
    said_yes = guesses(counts, rows, LIVES, policy)
    right = float(np.where(there, said_yes, 1 - said_yes).mean())
    note("scoring: who is in the data", on=f"{right:.1%} right in a site's whole life (a coin: 50 %)")
    assert right == pytest.approx(best_guess(policy.scoring_epsilon, policy.scorings_in_all), abs=0.02)
    assert best_guess(policy.scoring_epsilon, policy.scorings_in_all) <= 0.6
