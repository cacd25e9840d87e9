"""Plans as counts a class."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.augmentation import STAYS
from common.augmentation.plans import RATIOS, signal_plan, undersampled
from common.errors import UserError

COUNTS = {0: 50, 1: 30, 2: 12, 3: 31}
CLASSES = np.random.default_rng(0).permutation(np.repeat(list(COUNTS), list(COUNTS.values())))
CLASSES_OF_ANY_SIZE = st.lists(st.integers(0, 3), min_size=1, max_size=60)


def by_class(numbers, classes=CLASSES):
    return Counter(int(classes[number]) for number in numbers)


def counted(plan, classes=CLASSES):
    return by_class(plan.clean, classes), by_class([one.source for one in plan.changed], classes)


@pytest.mark.parametrize("name", ["sar", "sarb", "sars"])
@given(classes=CLASSES_OF_ANY_SIZE, seed=st.integers(0, 9))
def test_with_replacement_every_class_has_as_many_clean_as_the_smallest_and_changed_up_to_the_largest(
    name, classes, seed
):
    sizes = Counter(classes)
    least, most = min(sizes.values()), max(sizes.values())
    clean, changed = counted(signal_plan(name, classes, seed=seed), classes)
    assert clean == dict.fromkeys(sizes, least)
    assert changed == {one: most - least for one in sizes if most > least}


def test_a_plan_that_replaces_as_many_as_it_adds_does_not_have_those_counts():
    """A control: n_max - n_c stands for both where the paper is read as it is printed."""
    plan = signal_plan("sar", CLASSES, seed=0)
    most = max(COUNTS.values())
    printed = {one: (count - (most - count), 2 * (most - count)) for one, count in COUNTS.items()}
    clean, changed = counted(plan)
    assert {one: (clean[one], changed[one]) for one in COUNTS} == dict.fromkeys(COUNTS, (12, 38)) != printed
    assert len({share for _, share in printed.values()}) > 1  # so that a changed recording would tell its class


def test_without_replacement_all_stay_clean_and_the_rest_is_added():
    clean, changed = counted(signal_plan("sa", CLASSES, seed=0))
    assert clean == COUNTS
    assert changed == {1: 20, 2: 38, 3: 19}


def test_replacement_in_the_largest_class_alone_leaves_the_others_clean():
    clean, changed = counted(signal_plan("sarm", CLASSES, seed=0))
    assert clean == COUNTS | {0: 12}
    assert changed == {0: 38, 1: 20, 2: 38, 3: 19}


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("sa", {"TS", "PS", "GN", "BN"}),
        ("sar", {"TS", "PS", "GN", "BN"}),
        ("sarm", {"TS", "PS", "GN", "BN"}),
        ("sarb", {"BN"}),
        ("sars", {"TS", "PS"}),
    ],
)
def test_each_plan_has_its_changes_evenly(name, kinds):
    drawn = Counter(one.kind for one in signal_plan(name, CLASSES, seed=0).changed)
    assert set(drawn) == kinds
    assert max(drawn.values()) - min(drawn.values()) <= 1


def test_what_is_replaced_is_heard_changed_once_at_least_and_no_longer_clean():
    plan = signal_plan("sar", CLASSES, seed=0)
    assert {*plan.clean} | {one.source for one in plan.changed} == set(range(len(CLASSES)))
    assert len(set(plan.clean)) == len(plan.clean)


def test_a_plan_hangs_on_its_seed_alone():
    assert signal_plan("sar", CLASSES, seed=0) == signal_plan("sar", CLASSES, seed=0)
    assert signal_plan("sar", CLASSES, seed=0) != signal_plan("sar", CLASSES, seed=1)


@pytest.mark.parametrize("ratio", RATIOS)
@given(classes=CLASSES_OF_ANY_SIZE)
def test_undersampling_caps_every_class_at_the_smallest_over_the_ratio(ratio, classes):
    sizes = Counter(classes)
    kept = undersampled(classes, ratio, seed=0)
    assert len(set(kept)) == len(kept)
    left = by_class(kept, classes)
    cap = round(min(sizes.values()) / ratio * 1000) // 1000
    assert left == {one: min(size, cap) for one, size in sizes.items()}


def test_undersampling_by_one_half_of_ten_and_forty_leaves_twenty():
    assert by_class(undersampled([0] * 10 + [1] * 40, 0.5, seed=0), [0] * 10 + [1] * 40) == {0: 10, 1: 20}


def test_what_undersampling_keeps_is_chance_and_not_the_first():
    ones, others = (set(undersampled([0] * 10 + [1] * 40, 1.0, seed=seed)) for seed in (0, 1))
    assert ones != others
    assert ones != set(range(20))


def test_an_unknown_plan_a_ratio_beyond_bounds_and_nothing_to_balance_are_refused():
    with pytest.raises(UserError, match="no such plan: sax; there is sa, sar, sarm, sarb, sars"):
        signal_plan("sax", CLASSES, seed=0)
    for ratio in (0.0, 1.1):
        with pytest.raises(UserError, match="ratio of undersampling"):
            undersampled(CLASSES, ratio, seed=0)
    with pytest.raises(UserError, match="no recording to balance"):
        signal_plan("sa", [], seed=0)


def test_every_plan_says_why_it_stays():
    assert {"sa", "sar", "sarm", "sarb", "sars", "undersampling"} <= STAYS.keys()
