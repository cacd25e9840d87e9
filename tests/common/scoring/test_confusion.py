"""Against scikit-learn wherever it has an opinion, and by hand where it has none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, recall_score

from common.errors import UserError
from common.scoring import Confusion
from common.scoring.confusion import f1, recall

LABELS = ("neutral", "angry", "sad", "happy")
pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


def split(scored: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    true, predicted = zip(*scored, strict=True)
    return list(true), list(predicted)


@given(pairs)
def test_every_average_equals_scikit_learns_whatever_classes_are_absent(scored):
    true, predicted = split(scored)
    confusion = Confusion.of(LABELS, true, predicted)
    full = {"labels": range(4), "zero_division": 0}
    there = full | {"labels": sorted(set(true))}
    assert confusion.macro_f1 == pytest.approx(f1_score(true, predicted, average="macro", **there), abs=1e-12)
    assert confusion.accuracy == pytest.approx(accuracy_score(true, predicted), abs=1e-12)
    for ours, theirs in ((f1, f1_score), (recall, recall_score)):
        np.testing.assert_allclose(ours(confusion.counts), theirs(true, predicted, average=None, **full), atol=1e-12)


@given(pairs)
@pytest.mark.filterwarnings("ignore::UserWarning")  # scikit-learn remarks on predicted classes that do not occur
def test_uar_equals_scikit_learns_balanced_accuracy(scored):
    true, predicted = split(scored)
    expected = balanced_accuracy_score(true, predicted)
    assert Confusion.of(LABELS, true, predicted).uar == pytest.approx(expected, abs=1e-12)


@given(pairs, pairs)
def test_the_sum_of_two_confusions_is_the_confusion_of_both_together(some, others):
    apart = Confusion.of(LABELS, *split(some)) + Confusion.of(LABELS, *split(others))
    assert apart == Confusion.of(LABELS, *split(some + others))
    assert apart.n == len(some) + len(others)


@given(pairs, st.permutations(range(4)))
def test_the_order_of_the_labels_changes_no_average(scored, order):
    true, predicted = split(scored)
    plain = Confusion.of(LABELS, true, predicted)
    renamed = Confusion.of(LABELS, [order[t] for t in true], [order[p] for p in predicted])
    for average in ("macro_f1", "uar", "accuracy"):
        assert getattr(renamed, average) == pytest.approx(getattr(plain, average), abs=1e-12)


def test_right_is_one_and_always_wrong_is_zero():
    right, wrong = (Confusion.of(LABELS, range(4), predicted) for predicted in (range(4), [1, 2, 3, 0]))
    assert (right.macro_f1, right.uar, right.accuracy) == (1, 1, 1)
    assert (wrong.macro_f1, wrong.uar, wrong.accuracy) == (0, 0, 0)


def test_one_class_for_everything_scores_chance_in_uar_and_less_in_macro_f1():
    confusion = Confusion.of(LABELS, [0] * 70 + [1] * 10 + [2] * 10 + [3] * 10, [0] * 100)
    assert confusion.accuracy == pytest.approx(0.7)
    assert confusion.uar == pytest.approx(0.25)
    assert confusion.macro_f1 == pytest.approx(1.4 / 1.7 / 4)


def test_a_class_that_never_occurs_is_averaged_over_in_nothing():
    right = Confusion.of(LABELS, [0, 1, 2], [0, 1, 2])
    assert (right.macro_f1, right.uar) == (1, 1)


def test_what_is_taken_for_a_class_that_never_occurs_is_wrong_all_the_same():
    confusion = Confusion.of(LABELS, [0, 0, 1, 1], [0, 3, 1, 1])
    assert confusion.uar == pytest.approx((1 / 2 + 1) / 2)
    assert confusion.macro_f1 == pytest.approx((2 / 3 + 1) / 2)


def test_of_folds_that_are_added_up_the_truth_is_that_of_all_of_them():
    one = Confusion.of(LABELS, [0, 1, 2], [0, 1, 1])
    other = Confusion.of(LABELS, [0, 1, 3], [0, 1, 3])
    assert (one + other).uar == pytest.approx((1 + 1 + 0 + 1) / 4)
    assert (one + other).macro_f1 == pytest.approx((1 + 4 / 5 + 0 + 1) / 4)


counted = st.lists(st.integers(1, 50), min_size=4, max_size=4)


@given(st.lists(counted, min_size=4, max_size=4))
def test_where_every_class_occurs_macro_f1_is_the_plain_mean_to_the_last_bit(counts):
    assert Confusion(LABELS, counts).macro_f1 == float(f1(np.array(counts)).mean())


def test_counts_are_a_copy_that_nobody_can_write_to():
    counts = np.eye(4, dtype=np.int64)
    confusion = Confusion(LABELS, counts)
    counts[0, 0] = 9
    assert confusion.n == 4
    with pytest.raises(ValueError, match="read-only"):
        confusion.counts[0, 0] = 9


@pytest.mark.parametrize(
    ("labels", "counts", "complaint"),
    [
        (("sad",), [[1]], "two or more different labels"),
        (("sad", "sad"), [[1, 0], [0, 1]], "two or more different labels"),
        (("sad", "happy"), [[1, 0, 0], [0, 1, 0]], r"shape \(2, 3\)"),
        (("sad", "happy"), [[1, 0], [0]], "unequal length"),
        (("sad", "happy"), [[1.5, 0.0], [0.0, 1.0]], "not whole numbers"),
        (("sad", "happy"), [[float("nan"), 0.0], [0.0, 1.0]], "not whole numbers"),
        (("sad", "happy"), [[-1, 0], [0, 2]], "negative"),
        (("sad", "happy"), [[0, 0], [0, 0]], "without an utterance"),
    ],
)
def test_counts_that_cannot_be_are_refused(labels, counts, complaint):
    with pytest.raises(UserError, match=complaint):
        Confusion(labels, counts)


@pytest.mark.parametrize(
    ("true", "predicted", "complaint"),
    [
        ([0, 1], [0], "2 true labels stand against 1"),
        ([0, 4], [0, 0], "class number 4 stands outside 0 to 3"),
        ([0, -1], [0, 0], "class number -1"),
        ([0.0, 1.0], [0, 0], "not whole numbers"),
        ([], [], "without an utterance"),
    ],
)
def test_class_numbers_that_cannot_be_are_refused(true, predicted, complaint):
    with pytest.raises(UserError, match=complaint):
        Confusion.of(LABELS, true, predicted)


def test_confusions_of_another_label_order_are_not_added():
    with pytest.raises(UserError, match="different label orders"):
        Confusion(("sad", "happy"), [[1, 0], [0, 1]]) + Confusion(("happy", "sad"), [[1, 0], [0, 1]])
