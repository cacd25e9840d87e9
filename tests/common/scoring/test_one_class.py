"""Recall of one class, and how sure it is."""

import numpy as np
import pytest

from common.errors import UserError
from common.scoring import Confusion
from common.scoring.one_class import recall_of

LABELS = ("angry", "sad")


def speaker(hits, n, others=10):
    return Confusion(LABELS, [[hits, n - hits], [0, others]])


def test_a_class_that_is_never_heard_is_zero_where_the_mean_over_classes_is_half():
    speakers = [speaker(0, 5), speaker(0, 5)]
    found = recall_of("angry", speakers, seed=0)
    assert (found.value, found.low, found.high, found.n) == (0, 0, 0, 10)
    assert sum(speakers[1:], start=speakers[0]).uar == 0.5
    assert recall_of("sad", speakers, seed=0).value == 1


def test_speakers_that_differ_make_the_interval_wide():
    alike = recall_of("angry", [speaker(5, 10)] * 8, seed=0)
    unlike = recall_of("angry", [speaker(hits, 10) for hits in (0, 10) * 4], seed=0)
    assert alike.value == unlike.value == 0.5
    assert alike.high - alike.low == 0
    assert unlike.high - unlike.low > 0.5


def test_speakers_without_the_class_do_not_spoil_its_interval():
    found = recall_of("angry", [speaker(8, 10), *[speaker(0, 0)] * 3], seed=0)
    assert (found.value, found.low, found.high, found.n) == (0.8, 0.8, 0.8, 10)


def test_one_speaker_alone_is_resampled_by_utterance():
    found = recall_of("angry", [speaker(50, 100)], seed=0)
    assert found.unit == "utterance"
    assert recall_of("sad", [speaker(50, 100)], seed=0).low == 1
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(0.25 / 100), abs=0.03)


def test_an_unknown_class_one_that_is_not_tested_and_nobody_are_refused():
    with pytest.raises(UserError, match="no such class: happy; there is angry, sad"):
        recall_of("happy", [speaker(1, 2)], seed=0)
    with pytest.raises(UserError, match="no utterance of the class: angry"):
        recall_of("angry", [speaker(0, 0)], seed=0)
    with pytest.raises(UserError, match="no speaker"):
        recall_of("angry", [], seed=0)
