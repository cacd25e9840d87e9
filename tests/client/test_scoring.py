"""Counts and nothing else come of a scoring, and they are those that a recognizer trained here would get."""

import dataclasses

import numpy as np
import pytest
import torch

from client.dice import Dice
from client.door import Door
from client.scoring import SCORINGS, given_once, noised, score
from common.features.scaling import Scaling
from common.networks import Discriminator
from common.recognizers import RECOGNIZERS
from common.recognizers.methods.cnn import RECOGNIZER
from common.settings import FeatureConfig
from common.wire import Code, Refused

LONG = 250.0
DICE, OTHER_DICE = Dice(b"a" * 32), Dice(b"b" * 32)
DRAWS = 10_000
NOTHING = (((0,) * 10,) * 10,)
"""A matrix of a hundred counts."""


@pytest.fixture
def door(site):
    return Door(site)


class Guessing:
    """A recognizer of the registry that hears what it is told to, and remembers what it was given."""

    def __init__(self, monkeypatch):
        self.predicted, self.settings, self.heard = np.zeros(24, dtype=int), [], []
        found = {"cnn": dataclasses.replace(RECOGNIZER, predictor=self._made)}
        monkeypatch.setitem(RECOGNIZERS.__dict__, "_found", (found, ()))

    def _made(self, weights, settings, space, classes, acceleration):
        self.settings.append(settings.recognizer)
        return self

    def utterances(self, utterances, stop):
        self.heard = list(utterances)
        return np.eye(4)[self.predicted]


@pytest.fixture
def guessing(monkeypatch):
    return Guessing(monkeypatch)


def with_recognizer(ask_to_score, **changed):
    """A request in which some settings of the recognizer are others."""
    settings = ask_to_score().scoring.settings
    return ask_to_score(settings=settings | {"recognizer": settings["recognizer"] | changed})


def test_predictions_are_counted_by_truth_and_guess(door, site, ask_to_score, guessing):
    guessing.predicted = np.array([door.manifest.label_index(utterance) for utterance in door.manifest.utterances])
    assert score(ask_to_score(), door, site.runtime, LONG) == (tuple(map(tuple, np.eye(4, dtype=int) * 6)),)
    guessing.predicted = np.full(24, 3)
    assert score(ask_to_score(), door, site.runtime, LONG) == (((0, 0, 0, 6),) * 4,)


def test_speakers_come_without_names_in_an_order_that_tells_none(door, site, ask_to_score, guessing):
    speakers = np.array([utterance.speaker for utterance in door.manifest.utterances])
    for guessed in ("03", "08"):
        guessing.predicted = np.where(speakers == guessed, 0, 1)
        told = score(ask_to_score(per_speaker=True), door, site.runtime, LONG)
        assert told == (((0, 3, 0, 0),) * 4, ((3, 0, 0, 0),) * 4)


def test_a_recognizer_is_tried_on_every_utterance(door, site, ask_to_score):
    (matrix,) = score(ask_to_score(), door, site.runtime, LONG)
    assert [sum(row) for row in matrix] == [6, 6, 6, 6]


def test_it_tells_apart_as_many_bands_as_the_server_says(door, site, ask_to_score, monkeypatch):
    told = []

    def listen(network, patches):
        told.append(network.bands)
        return torch.zeros(len(patches), 4)

    monkeypatch.setattr(Discriminator, "forward", listen)
    for bands in (128, 32):
        score(with_recognizer(ask_to_score, bands=bands), door, site.runtime, LONG)
    assert set(told[: len(told) // 2]) == {128}
    assert set(told[len(told) // 2 :]) == {32}


def test_its_settings_are_those_that_the_server_says(door, site, ask_to_score, guessing):
    for hop in (32, 64):
        score(with_recognizer(ask_to_score, window_hop=hop), door, site.runtime, LONG)
    assert [settings.window_hop for settings in guessing.settings] == [32, 64]


def test_a_site_scores_with_its_own_features_under_the_scaling_that_it_is_told(site, ask_to_score, guessing):
    first = Door(site)
    other = Door(site.model_copy(update={"features": FeatureConfig(floor=0.05)}))
    for door in (first, other):
        score(ask_to_score(), door, site.runtime, LONG)
        scaled = [Scaling(-16.0, 5.5).apply(door.features[number]) for number in range(24)]
        assert len(guessing.heard) == 24
        assert all(torch.equal(heard, wanted) for heard, wanted in zip(guessing.heard, scaled, strict=True))
    assert not torch.equal(Scaling(-16.0, 5.5).apply(first.features[0]), guessing.heard[0])


@pytest.mark.parametrize("seconds", [-1.0, 0.0])
def test_one_that_takes_too_long_is_ended_by_name(door, site, ask_to_score, seconds):
    with pytest.raises(Refused, match="too-long") as ended:
        score(ask_to_score(), door, site.runtime, seconds)
    assert ended.value.code is Code.TOO_LONG


def test_vectors_of_norms_do_not_come_into_it(door, site, ask_to_score):
    """Whoever sends them could have any layer divided by whatever they like."""
    asked = ask_to_score()
    lying = {name.replace("weight", "norm.u"): torch.ones(1) for name in asked.recognizer if name.endswith("weight")}
    forged = asked.model_copy(update={"recognizer": asked.recognizer | lying})
    assert score(forged, door, site.runtime, LONG) == score(asked, door, site.runtime, LONG)


@pytest.fixture(scope="module", params=[0.1, 0.35, 1.0, 4.0])
def drawn(request):
    """An epsilon and ten thousand draws with it."""
    works = range(DRAWS // 100)
    return request.param, np.array([noised(NOTHING, request.param, DICE, f"r/f/{work}") for work in works]).ravel()


class TestNoise:
    """Two-sided geometric noise on every count."""

    def test_its_mean_is_nothing_and_its_variance_the_closed_form(self, drawn):
        epsilon, draws = drawn
        a = np.exp(-epsilon)
        variance = 2 * a / (1 - a) ** 2
        assert len(draws) == DRAWS
        assert abs(draws.mean()) < 4 * np.sqrt(variance / DRAWS)
        assert draws.var() == pytest.approx(variance, rel=0.1)

    def test_one_more_is_as_much_rarer_as_epsilon_says(self, drawn):
        """Which is what makes a count and its neighbour hard to tell apart."""
        epsilon, draws = drawn
        a = np.exp(-epsilon)
        for value in (0, 1, -1, 2, -2):
            chance = (1 - a) / (1 + a) * a ** abs(value)
            assert (draws == value).mean() == pytest.approx(chance, abs=4 * np.sqrt(chance * (1 - chance) / DRAWS))

    def test_the_same_work_has_the_same_noise_and_other_work_or_another_secret_other(self):
        first = noised(NOTHING, 0.35, DICE, "run-1/fold/x")
        assert noised(NOTHING, 0.35, DICE, "run-1/fold/x") == first
        assert noised(NOTHING, 0.35, DICE, "run-1/fold/y") != first
        assert noised(NOTHING, 0.35, OTHER_DICE, "run-1/fold/x") != first

    def test_it_is_added_to_the_counts_and_cut_nowhere(self):
        counts = (tuple(tuple(range(start, start + 10)) for start in range(0, 100, 10)),)
        noise = np.array(noised(NOTHING, 0.35, DICE, "work"))
        assert np.array_equal(np.array(noised(counts, 0.35, DICE, "work")) - np.array(counts), noise)
        assert noise.min() < 0 < noise.max()

    def test_numbers_are_plain_and_speakers_have_no_order(self):
        told = noised(((((1, 2), (3, 4))), ((5, 6), (7, 8))), 0.35, DICE, "work")
        assert {type(count) for matrix in told for row in matrix for count in row} == {int}
        assert told == tuple(sorted(told))


class TestGivenOnce:
    """What was told is told again."""

    @pytest.fixture
    def made(self):
        """Makes another answer whenever it is asked."""
        answers = iter([(((1, 2), (3, 4)),), (((5, 6), (7, 8)),)])
        return lambda: next(answers)

    def test_an_answer_is_given_again_and_not_made_again(self, tmp_path, made):
        first = given_once(tmp_path, "work", 0.35, made)
        assert first == (0.35, (((1, 2), (3, 4)),))
        assert given_once(tmp_path, "work", 0.35, made) == first

    def test_it_keeps_its_noise_when_the_policy_asks_for_other_noise(self, tmp_path, made):
        """Else two answers with other noise from the same draws would tell the counts."""
        first = given_once(tmp_path, "work", 0.35, made)
        assert given_once(tmp_path, "work", None, made) == first

    def test_other_work_has_an_answer_of_its_own(self, tmp_path, made):
        first = given_once(tmp_path, "work", None, made)
        assert given_once(tmp_path, "other", None, made) != first

    def test_what_came_to_nothing_is_tried_again(self, tmp_path, made):
        def fails():
            raise Refused(Code.TOO_LONG)

        with pytest.raises(Refused):
            given_once(tmp_path, "work", None, fails)
        assert not (tmp_path / SCORINGS).exists()
        assert given_once(tmp_path, "work", None, made)[1] == (((1, 2), (3, 4)),)
