"""A release that is odd among the others is named, and nobody else; where all are odd, or too few, nobody is."""

from itertools import combinations

import pytest
import torch

from server.checks import SAMPLES
from server.outliers import FARTHEST, FEWEST, LEAST_USUAL, outlying
from server.outliers import mislabelled as mislabelled_of

CLASSES = 4
SIZES = {"loudness": 8, "rhythm": 12}
EFFECT = 0.5
"""Of an emotion, in deviations of a sample: far less than latents do."""


def site(name, *, labels=(0, 1, 2, 3), apart=0.0, width=1.0, effect=EFFECT, spread=0.5):
    """Statistics of a release: what emotions do everywhere, what latents do, and where the site itself lies."""
    chance = torch.Generator().manual_seed(sum(map(ord, name)))
    found = {}
    for kind, size in SIZES.items():
        everywhere = torch.randn(CLASSES, 1, size, generator=torch.Generator().manual_seed(size))
        latents = torch.randn(1, SAMPLES, size, generator=chance)
        own = torch.randn(CLASSES, SAMPLES, size, generator=chance)
        place = spread * torch.randn(size, generator=chance) + apart * (kind == "rhythm")
        found[kind] = place + width * (effect * everywhere[list(labels)] + latents + 0.3 * own)
    return found


def sites(names, **odd):
    return {name: site(name) for name in names} | {name: site(name, **how) for name, how in odd.items()}


def only(statistics, known):
    """Of some emotions alone."""
    return {kind: values[list(known)] for kind, values in statistics.items()}


def mislabelled(statistics, **known):
    """Of releases that know everything, but for those that are named with what they know."""
    told = {name: known.get(name, (0, 1, 2, 3)) for name in statistics}
    return mislabelled_of({name: only(one, told[name]) for name, one in statistics.items()}, told)


class TestOutlying:
    """Where samples lie."""

    def test_the_far_one_is_named_with_its_statistic(self):
        found = outlying(sites("ABC", X={"apart": 3 * FARTHEST}))
        assert list(found) == ["X"]
        assert "deviations from what is usual in rhythm" in found["X"]

    def test_the_one_that_hardly_varies_is_named(self):
        assert "vary by less than" in outlying(sites("ABC", X={"width": 1e-3}))["X"]

    def test_nobody_is_named_among_the_honest_nor_for_being_somewhat_apart(self):
        assert outlying(sites("ABCDE")) == {}
        assert outlying(sites("ABCD", E={"apart": FARTHEST / 3}, F={"width": 0.3}, G={"width": 3.0})) == {}

    def test_two_that_are_far_do_not_hide_each_other(self):
        far = {"apart": 3 * FARTHEST}
        assert sorted(outlying(sites("ABC", X=far, Y=far))) == ["X", "Y"]

    def test_where_half_are_odd_nobody_can_say_who(self):
        far = {"apart": 3 * FARTHEST}
        assert outlying(sites("AB", X=far, Y=far)) == {}

    def test_where_all_hardly_vary_nobody_is_far(self):
        def named(width):
            alike = {"width": width, "spread": 0.0}
            return list(outlying(sites("", **dict.fromkeys("ABC", alike), X=alike | {"apart": 5.0})))

        assert named(LEAST_USUAL / 3) == []
        assert named(3 * LEAST_USUAL) == ["X"]

    def test_fewer_than_four_name_nobody(self):
        assert FEWEST == 4
        assert outlying(sites("AB", X={"apart": 3 * FARTHEST})) == {}


EXCHANGED = {"in a ring": (1, 2, 3, 0), "in pairs": (1, 0, 3, 2), "turned round": (3, 2, 1, 0)}


class TestMislabelled:
    """What labels mean."""

    @pytest.mark.parametrize("labels", EXCHANGED.values(), ids=EXCHANGED)
    def test_labels_that_are_all_exchanged_are_named(self, labels):
        found = mislabelled(sites("ABCD", X={"labels": labels}))
        assert list(found) == ["X"]
        assert "by chance 25%" in found["X"]

    def test_nobody_is_named_among_the_honest(self):
        assert mislabelled(sites("ABCDE")) == {}

    def test_nobody_is_named_for_being_apart_or_quiet_or_loud(self):
        assert mislabelled(sites("ABC", X={"apart": 5.0}, Y={"width": 0.1}, Z={"width": 10.0})) == {}

    def test_labels_that_mean_nothing_are_not_held_against_anybody(self):
        assert mislabelled(sites("ABCD", X={"effect": 0.0})) == {}

    def test_where_the_others_do_not_recognize_each_other_nobody_is_named(self):
        weak = {name: {"effect": 0.05} for name in "ABCD"}
        assert mislabelled(sites("", **weak, X={"labels": (1, 2, 3, 0), "effect": 0.05})) == {}

    def test_where_one_of_four_others_means_nothing_nobody_is_named_and_of_five_it_may(self):
        """Where some sites were hardly tuned, another may lie the wrong way by chance."""
        odd = {"X": {"labels": (1, 2, 3, 0)}, "W": {"effect": 0.0}}
        assert mislabelled(sites("ABC", **odd)) == {}
        assert list(mislabelled(sites("ABCDE", **odd))) == ["X"]

    def test_only_the_worst_is_named_at_once_and_then_the_next(self):
        rings = sites("ABCDEFG", X={"labels": (1, 2, 3, 0)}, Y={"labels": (1, 0, 3, 2)})
        first = mislabelled(rings)
        assert len(first) == 1
        left = {name: one for name, one in rings.items() if name not in first}
        second = mislabelled(left)
        assert sorted((*first, *second)) == ["X", "Y"]
        assert mislabelled({name: one for name, one in left.items() if name not in second}) == {}

    @pytest.mark.parametrize("seed", range(12))
    def test_nobody_is_named_for_holding_some_emotions_only_however_weakly_it_was_tuned(self, seed):
        """Where what emotions do at a site is hardly more than chance, two are recognized all right or all wrong."""
        skewed = {"P": (1,), "Q": (0, 3), "R": (1, 2), "S": (0, 2, 3)}
        weak = {f"{name}{seed}": {"effect": 0.02} for name in skewed}
        known = {f"{name}{seed}": classes for name, classes in skewed.items()}
        statistics = sites([f"{name}{seed}" for name in "ABCD"], **weak)
        assert mislabelled(statistics, **known) == {}
        assert outlying({name: only(one, known.get(name, range(CLASSES))) for name, one in statistics.items()}) == {}

    def test_three_emotions_that_are_all_exchanged_are_named(self):
        found = mislabelled(sites("ABCD", X={"labels": (1, 2, 0, 3)}), X=(0, 1, 2))
        assert list(found) == ["X"]
        assert "by chance 33%" in found["X"]
        assert mislabelled(sites("ABCD", X={}), X=(0, 1, 2)) == {}

    @pytest.mark.parametrize("pair", list(combinations(range(CLASSES), 2)))
    def test_two_emotions_that_are_exchanged_are_named_whether_the_others_know_more_or_not(self, pair):
        one, other = pair
        exchanged = [{one: other, other: one}.get(number, number) for number in range(CLASSES)]
        swapped = sites("ABCD", X={"labels": exchanged})
        assert list(mislabelled(swapped, X=pair)) == ["X"]
        assert "the other way round" in mislabelled(swapped, X=pair)["X"]
        assert list(mislabelled(swapped, **dict.fromkeys("ABCDX", pair))) == ["X"]
        assert mislabelled(sites("ABCD", X={}), X=pair) == {}

    def test_two_emotions_that_lie_somewhat_the_other_way_are_not_named(self):
        assert mislabelled(sites("ABCD", X={"labels": (1, 0, 2, 3), "effect": EFFECT / 10}), X=(0, 1)) == {}

    def test_two_emotions_are_not_judged_where_the_others_do_not_agree(self):
        backwards = {"labels": (1, 0, 2, 3)}
        apart = sites("ABC", X=backwards, Y=backwards, Z=backwards)
        assert mislabelled(apart, X=(0, 1)) == {}
        assert list(mislabelled(sites("ABCDEFG", X=backwards, Y=backwards), X=(0, 1))) == ["X"]

    def test_one_emotion_has_nothing_to_be_exchanged(self):
        assert mislabelled(sites("ABCD", X={"labels": (1, 2, 3, 0)}), X=(0,)) == {}

    def test_labels_are_not_judged_by_those_who_do_not_know_them(self):
        ring = sites("ABCD", X={"labels": (1, 2, 3, 0)})
        assert mislabelled(ring, **dict.fromkeys("AB", (0, 1, 2))) == {}

    def test_fewer_than_four_name_nobody(self):
        assert mislabelled(sites("AB", X={"labels": (1, 2, 3, 0)})) == {}
