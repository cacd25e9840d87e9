"""Arms of a protocol: which the first table is of, what a training is, and differences that are told together."""

from dataclasses import replace
from pathlib import Path

import pytest

from common.corpora.manifest import Manifest, Utterance
from common.protocols import Point, Trial
from common.protocols.protocol import Filling
from simulations.comparison.arms import arms_of, counts_in, shown_of, title_of, trainings

LABELS = ("angry", "sad")
RIGHT, WRONG = [[5, 0], [0, 5]], [[5, 0], [5, 0]]


def part(*speakers):
    spoken = (Utterance(f"{one}{number}", one, one, 1.0, "sad") for one in speakers for number in range(2))
    return Manifest("few", Path(), LABELS, tuple(spoken))


def trial(fold, arm, draw, *, watched="", point=None):
    others = [name for name in ("a", "b", "c") if name != fold]
    return Trial(fold, part(*others), part(fold), repeat=draw, arm=arm, watched=watched, point=point)


def of(arms, draws=2, **words):
    return [trial(fold, arm, draw, **words) for arm in arms for draw in range(1, draws + 1) for fold in ("a", "b", "c")]


RARE = [one for emotion in LABELS for one in of([emotion], watched=emotion)]
CURVE = of(["q = 1", "q = 2"], point=Point("sets", 1))


def counts(trials, matrix, seeds=(0,)):
    return {str(seed): {one.title: {one.name: matrix} for one in trials} for seed in seeds}


def test_where_each_arm_makes_another_emotion_rare_the_table_is_of_all_of_them():
    assert shown_of(RARE) == RARE
    assert title_of(RARE) == "mean over angry, sad"
    assert len(trainings(RARE, [0, 1])) == 2 * 2 * 2


def test_of_a_curve_it_is_of_the_end():
    assert {one.arm for one in shown_of(CURVE)} == {"q = 2"}
    assert title_of(shown_of(CURVE)) == "q = 2"


def test_trainings_of_two_arms_are_not_one():
    table = counts([one for one in RARE if one.arm == "angry"], RIGHT) | {}
    found = counts_in(RARE, table, [0])
    assert sorted(len(folds) for folds in found.values()) == [3, 3]
    assert set(counts_in(RARE, counts(RARE, RIGHT), [0, 1])) == {"1", "2", "3", "4"}


def test_the_usual_protocol_counts_seeds_alone():
    """A control."""
    usual = [trial(fold, "", 0) for fold in ("a", "b", "c")]
    assert trainings(usual, [3, 4]) == {3: (3, ("", 0)), 4: (4, ("", 0))}
    assert arms_of(usual, LABELS, {"real": counts(usual, RIGHT)}, [0]) == []


def test_each_arm_is_told_against_real_speech_in_it_with_a_correction_over_all():
    tables = {"real": counts(RARE, WRONG), "filled": counts(RARE, RIGHT), "again": counts(RARE, WRONG)}
    arms = arms_of(RARE, LABELS, tables, [0])
    for arm in arms:
        better, same = arm.modes["filled"], arm.modes["again"]
        assert better.difference.difference == pytest.approx(0.5)
        assert better.difference.holm >= better.difference.p_value
        assert same.difference.difference == 0
        assert not same.difference.different
        assert arm.modes["real"].difference is None
        assert better.uars == [1.0, 1.0]


def test_an_arm_without_samples_is_not_compared_and_makes_no_other_p_larger():
    without, beside = (
        [replace(one, filling=Filling(True, {"sad": samples})) for one in of([arm], draws=6)]
        for arm, samples in (("10 % + 0", 0), ("10 % + 8", 8))
    )
    both = without + beside
    tables = {"real": counts(both, WRONG), "filled": counts(both, RIGHT), "averaged": counts(both, WRONG)}
    none, some = arms_of(both, LABELS, tables, [0], drawing=["filled"])
    assert none.modes["filled"].difference is None
    assert none.modes["averaged"].difference is not None  # hears no samples, and so is another than real
    assert some.modes["filled"].difference.holm == pytest.approx(3 * some.modes["filled"].difference.p_value)


def test_a_mode_that_lacks_a_fold_of_every_training_has_no_row():
    some = [one for one in RARE if one.name != "c"]
    (first, _) = arms_of(RARE, LABELS, {"real": counts(some, RIGHT), "filled": counts(RARE, RIGHT)}, [0])
    assert first.modes["real"] is None
    assert first.modes["filled"].difference is None
