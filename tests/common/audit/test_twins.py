"""An audit lets go what has seen nobody, refuses what holds recordings, and says so where it cannot tell."""

from dataclasses import replace

import numpy as np
import pytest

from common.audit.coins import ALWAYS, IN, OUT, throw
from common.audit.density import WIDTH, Utterances, planted, scores, squared_distances
from common.audit.findings import calibrated, findings, most
from common.audit.twins import Audit
from common.audit.verdict import Limits, judged
from common.errors import UserError
from common.scoring.labelled import Labelled
from common.seeds import numpy_stream
from tests.common.audit.conftest import augmenting, blind, drawn


def test_what_has_seen_nobody_is_released(audited):
    verdict = audited(blind)
    assert verdict.word == "release", verdict
    assert verdict.low < 0.5 < verdict.high < 0.6
    assert verdict.epsilon < 1


@pytest.mark.parametrize("name", ["copying", "noise", "smote"])
@pytest.mark.parametrize("count", [40, 68])
def test_what_holds_recordings_is_refused(audited, name, count):
    verdict = audited(augmenting(name), count)
    assert verdict.word == "refuse"
    assert verdict.low > 0.9
    assert "members are told from outsiders" in verdict.reasons[0]


def test_planted_copies_are_noticed_at_two_in_a_hundred(audited):
    assert audited(blind).noticed <= 0.02


def test_an_audit_that_would_not_notice_copies_cannot_tell(audited, monkeypatch):
    monkeypatch.setattr("common.audit.density.JITTER", 50.0)  # of which a copy is nobody's
    verdict = audited(blind)
    assert (verdict.word, verdict.noticed) == ("cannot-tell", None)
    assert verdict.reasons == ("copies in 5% of the samples would not have been noticed",)


def test_a_leak_that_is_there_without_them_is_no_sign_that_copies_are_noticed(audited, monkeypatch):
    assert audited(augmenting("noise")).word == "refuse"
    monkeypatch.setattr("common.audit.density.JITTER", 50.0)
    verdict = audited(augmenting("noise"))
    assert (verdict.word, verdict.noticed) == ("refuse", None)


@pytest.mark.parametrize("synthesizer", [blind, augmenting("copying")])
def test_twelve_utterances_are_too_few_and_no_twin_is_fitted(audited, synthesizer):
    verdict = audited(synthesizer, 12)
    assert verdict.word == "cannot-tell"
    assert verdict.reasons == ("12 utterances are too few to tell; 20 are asked for",)


def test_utterances_without_coins_cannot_be_audited(audited):
    assert "coins of a twin are all alike" in audited(blind, 8, utterances=8).reasons[0]


def test_an_emotion_that_nobody_spoke_is_not_asked_for(utterances_of):
    labels = 2 * (np.arange(60) % 2)
    own = Utterances.of_vectors(drawn(labels, numpy_stream(1)), labels, range(60))
    audit = Audit(own, lambda values: values.numpy(), Limits(samples=1024), 1)
    assert set(audit.draw(blind(own)(0, None), 0).labels) == {0, 2}
    assert audit.run(blind(own)).word == "release"
    assert audit.run(augmenting("smote")(own)).word == "refuse"


def test_few_speakers_are_never_released_and_may_be_refused(audited):
    verdict = audited(blind, speakers=7)
    assert verdict.word == "cannot-tell"
    assert verdict.reasons == ("7 speakers are too few to tell of a speaker; 8 are asked for",)
    assert audited(augmenting("copying"), speakers=7).word == "refuse"


def test_the_same_seed_gives_the_same_verdict(audited):
    assert audited(blind, 40) == audited(blind, 40)


@pytest.mark.slow
def test_at_most_one_of_twenty_is_refused_though_it_has_seen_nobody(audited):
    words = [audited(blind, seed=seed).word for seed in range(40)]
    assert words.count("refuse") <= 2
    assert words.count("release") >= 30


@pytest.mark.slow
@pytest.mark.parametrize("name", ["copying", "smote"])
def test_recordings_are_refused_every_time(audited, name):
    assert {audited(augmenting(name), seed=seed).word for seed in range(20)} == {"refuse"}


class TestFindings:
    """Of scores that a test makes up."""

    LABELS = np.arange(40) % 4
    SPEAKERS = np.arange(40) % 10

    def found(self, raised, seed=0):
        coins = throw(self.LABELS, 8, seed)
        chance = np.random.default_rng(seed).normal(size=coins.shape)
        return findings(chance + raised * (coins == IN), coins, self.LABELS, self.SPEAKERS, seed)

    def test_what_is_one_of_several_may_err_the_less_often(self):
        coins = throw(self.LABELS, 8, 0)
        chance = np.random.default_rng(0).normal(size=coins.shape) + 2.0 * (coins == IN)
        alone, of_two = (findings(chance, coins, self.LABELS, self.SPEAKERS, 0, among=count) for count in (1, 2))
        assert of_two.worst == min(1, 2 * alone.worst)
        assert of_two.low < alone.low
        assert of_two.epsilon < alone.epsilon
        assert (of_two.auc, of_two.high) == (alone.auc, alone.high)

    def test_several_scores_show_as_much_as_the_one_that_shows_most(self):
        calm, loud = self.found(0), self.found(2.0)
        assert most([calm, loud]) == replace(loud, worst=min(calm.worst, loud.worst))

    def test_chance_is_half(self):
        found = self.found(0)
        assert found.low < 0.5 < found.high
        assert (found.epsilon, found.worst) == (0, pytest.approx(1, abs=0.9))

    def test_what_is_raised_by_two_deviations_is_told_as_a_normal_law_has_it(self):
        found = self.found(2.0)
        assert found.auc == pytest.approx(0.9, abs=0.05)  # Phi(2 / sqrt(2)) is 0.92, less what references add
        assert found.low > 0.8
        assert found.epsilon > 1

    def test_one_utterance_that_is_given_away_is_flagged(self):
        coins = throw(self.LABELS, 16, 0)
        chance = np.random.default_rng(0).normal(size=coins.shape)
        calm = findings(chance, coins, self.LABELS, self.SPEAKERS, 0)
        told = int(np.minimum((coins == IN).sum(axis=0), (coins == OUT).sum(axis=0)).argmax())
        chance[:, told] += 15 * (coins[:, told] == IN)
        found = findings(chance, coins, self.LABELS, self.SPEAKERS, 0)
        assert found.worst < 0.01 < calm.worst

    def test_a_twin_or_an_utterance_that_scores_high_is_no_sign(self):
        coins = throw(self.LABELS, 8, 0)
        stream = np.random.default_rng(0)
        chance = stream.normal(size=coins.shape)
        shifted = chance + 100 * stream.normal(size=(8, 1)) + 100 * stream.normal(size=40)
        before, after = (findings(one, coins, self.LABELS, self.SPEAKERS, 0) for one in (chance, shifted))
        assert (after.auc, after.low, after.epsilon) == pytest.approx((before.auc, before.low, before.epsilon))

    def test_an_utterances_reference_is_of_other_twins_that_left_it_out(self):
        coins = throw(self.LABELS, 8, 0)
        coins[:, 0] = [OUT, *[IN] * 7]
        own = calibrated(np.where(coins == IN, 1.0, 0.0), coins, self.LABELS)
        assert np.isnan(own[0, 0])
        assert np.isfinite(own[1:, 0]).all()
        assert np.nanmean(own[coins == IN]) - np.nanmean(own[coins == OUT]) == pytest.approx(1, abs=0.1)
        assert np.isnan(own[coins == ALWAYS]).all()

    def test_scores_that_are_no_numbers_are_refused(self):
        coins = throw(self.LABELS, 8, 0)
        with pytest.raises(UserError, match="not finite"):
            findings(np.full(coins.shape, np.nan), coins, self.LABELS, self.SPEAKERS, 0)

    def test_one_utterance_that_is_given_away_is_a_leak_by_itself(self):
        told = replace(self.found(0), low=0.45, high=0.55, worst=0.002)
        assert judged({"density": told}, 0.01, 10, Limits()).reasons == (
            "one utterance is given away (p = 0.002 after correction)",
        )
        assert judged({"density": told}, 0.01, 10, Limits()).word == "refuse"
        assert judged({"density": told}, 0.01, 10, Limits(flagged=0.001)).word == "release"

    def test_epsilon_above_its_limit_is_a_leak_by_itself(self):
        found = self.found(2.0)
        leak = judged({"density": found}, 0.01, 10, Limits(auc=0.99, flagged=1e-9, epsilon=0.5))
        assert leak.word == "refuse"
        assert "no epsilon below" in leak.reasons[0]
        assert judged({"density": found}, 0.01, 10, Limits(auc=0.99, flagged=1e-9, epsilon=60.0)).word == "release"


class TestDensity:
    """A score is a kernel estimate over samples of an utterance's own emotion."""

    def test_it_is_the_kernels_sum(self):
        own = Utterances.of_vectors([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1], [0, 1, 2, 3])
        made = Labelled([[0.2], [5.0], [2.0]], [0, 1, 1])
        told = scores(own, squared_distances(own, made), own.unit())
        assert own.unit() == 1.0
        assert told[:2] == pytest.approx([-(0.2**2) / (2 * WIDTH**2), -(0.8**2) / (2 * WIDTH**2)])

    def test_windows_of_one_utterance_are_one_score(self):
        points, owners = np.array([[0.0], [4.0], [1.0]]), np.array([0, 0, 1])
        own = Utterances(points, owners, np.array([0, 0]), np.array([0, 1]))
        told = scores(own, squared_distances(own, Labelled([[1.0]], [0])), 1.0)
        assert told == pytest.approx([-(1 + 9) / 2 / (2 * WIDTH**2), 0])

    def test_windows_of_one_utterance_are_not_each_others_neighbours(self):
        own = Utterances(np.array([[0.0], [0.1], [5.0]]), np.array([0, 0, 1]), np.array([0, 0]), np.array([0, 1]))
        assert own.unit() == pytest.approx(4.9)

    def test_planted_copies_are_near_their_recordings_and_so_many(self, utterances_of):
        own = utterances_of(40)
        made = Labelled(np.full((400, 16), 100.0), np.arange(400) % 4)
        squares = squared_distances(own, made)
        near = planted(own, made, squares, np.arange(4), 0.05, own.unit(), seed=0)
        close = near < own.unit() ** 2 / 4
        assert close[:4].sum() == 20
        assert close[4:].sum() == 0
        assert (near != squares).any(axis=0).sum() == 20

    def test_utterances_that_are_all_alike_cannot_be_audited(self):
        with pytest.raises(UserError, match="all alike"):
            Utterances.of_vectors(np.zeros((8, 3)), [0, 1] * 4, range(8)).unit()
