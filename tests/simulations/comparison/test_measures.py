"""What is measured of vectors tells good samples, copies, samples that are all alike, and noise apart."""

import numpy as np
import pytest

from common.scoring.labelled import Labelled
from simulations.comparison.measures import OF_VECTORS, Compared, side_of, vector_measures

EMOTIONS = ("angry", "happy", "sad")


def speech(seed, count, spread=1.0):
    labels = np.arange(count) % len(EMOTIONS)
    return Labelled(1.5 * np.eye(12)[labels] + spread * np.random.default_rng(seed).normal(size=(count, 12)), labels)


FITTED, UNSEEN = speech(0, 120), speech(1, 60)


def measured(made, unseen=UNSEEN, speakers=("a", "b")):
    sides = (
        side_of(FITTED, [f"s{n % 4}" for n in range(len(FITTED))]),
        side_of(unseen, np.resize(speakers, len(unseen))),
    )
    return vector_measures(Compared(*sides, made, EMOTIONS, seed=0))


@pytest.fixture(scope="module")
def good():
    return measured(speech(2, 90))


def test_samples_of_the_real_law_are_at_the_floor_vary_as_it_does_and_teach_what_it_teaches(good):
    assert tuple(good) == OF_VECTORS
    assert good["mmd"] == pytest.approx(good["mmd_floor"], rel=0.4)
    assert good["spread"] == pytest.approx(1, abs=0.15)
    assert good["nearness"] == pytest.approx(1, abs=0.1)
    assert min(good[name] for name in OF_VECTORS if name.startswith(("metric_1", "metric_2"))) > 0.6


def test_samples_that_are_all_alike_show_in_spread_discrepancy_and_metric_2_and_not_in_metric_1(good):
    collapsed = measured(speech(2, 90, spread=0.02))
    assert collapsed["spread"] < 0.05
    assert collapsed["mmd"] > 5 * collapsed["mmd_floor"]
    assert collapsed["metric_1_set_1"] > good["metric_1_set_1"]
    assert collapsed["metric_3"] > good["metric_3"]


def test_copies_lie_nearer_to_what_they_were_fitted_to(good):
    assert measured(FITTED)["nearness"] < 0.75 < good["nearness"]


def test_noise_teaches_nothing_and_lies_far_away(good):
    labels = np.arange(90) % 3
    noise = measured(Labelled(4 * np.random.default_rng(3).normal(size=(90, 12)), labels))
    assert noise["metric_2_set_2"] < 0.5 < good["metric_2_set_2"]
    assert noise["mmd"] > 3 * noise["mmd_floor"]
    assert noise["metric_3"] > good["metric_3"]


def test_a_single_speaker_is_no_reason_to_measure_nothing():
    assert None not in measured(speech(2, 90), speakers=("a",)).values()


def test_what_a_measure_has_too_little_speech_for_is_told_as_missing_and_the_others_are_told():
    one_class = UNSEEN[UNSEEN.labels == 0]
    told = measured(speech(2, 90), unseen=one_class)
    assert told["metric_1_set_2"] is None
    assert told["spread"] is not None
    assert told["mmd"] is not None
