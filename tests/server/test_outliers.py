"""A release that is odd among the others is named, and nobody else; where all are odd, or too few, nobody is."""

import pytest
import torch

from server.checks import SAMPLES
from server.outliers import FARTHEST, FEWEST, LEAST_USUAL, misheard, outlying

CLASSES = 4
SIZES = {"loudness": 8, "rhythm": 12}
EFFECT = 0.5
"""Of an emotion, in deviations of a sample: far less than latents do."""


def site(name, *, labels=(0, 1, 2, 3), apart=0.0, width=1.0, effect=EFFECT):
    """Statistics of a release: what emotions do everywhere, what latents do, and where the site itself lies."""
    chance = torch.Generator().manual_seed(sum(map(ord, name)))
    found = {}
    for kind, size in SIZES.items():
        everywhere = torch.randn(CLASSES, 1, size, generator=torch.Generator().manual_seed(size))
        latents = torch.randn(1, SAMPLES, size, generator=chance)
        own = torch.randn(CLASSES, SAMPLES, size, generator=chance)
        place = torch.randn(size, generator=chance) / 2 + apart * (kind == "rhythm")
        found[kind] = place + width * (effect * everywhere[list(labels)] + latents + 0.3 * own)
    return found


def sites(names, **odd):
    return {name: site(name) for name in names} | {name: site(name, **how) for name, how in odd.items()}


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
        hardly = {name: {"width": LEAST_USUAL / 3} for name in "ABC"}
        assert outlying(sites("", **hardly, X={"width": LEAST_USUAL / 3, "apart": 3.0})) == {}
        somewhat = {name: {"width": 3 * LEAST_USUAL} for name in "ABC"}
        assert list(outlying(sites("", **somewhat, X={"width": 3 * LEAST_USUAL, "apart": 5.0}))) == ["X"]

    def test_fewer_than_four_name_nobody(self):
        assert FEWEST == 4
        assert outlying(sites("AB", X={"apart": 3 * FARTHEST})) == {}


EXCHANGED = {"in a ring": (1, 2, 3, 0), "in pairs": (1, 0, 3, 2), "turned round": (3, 2, 1, 0)}


class TestMisheard:
    """What labels mean."""

    @pytest.mark.parametrize("labels", EXCHANGED.values(), ids=EXCHANGED)
    def test_labels_that_are_all_exchanged_are_named(self, labels):
        found = misheard(sites("ABCD", X={"labels": labels}))
        assert list(found) == ["X"]
        assert "by chance 25%" in found["X"]

    def test_nobody_is_named_among_the_honest(self):
        assert misheard(sites("ABCDE")) == {}

    def test_nobody_is_named_for_being_apart_or_quiet_or_loud(self):
        assert misheard(sites("ABC", X={"apart": 5.0}, Y={"width": 0.1}, Z={"width": 10.0})) == {}

    def test_labels_that_mean_nothing_are_not_held_against_anybody(self):
        assert misheard(sites("ABCD", X={"effect": 0.0})) == {}

    def test_where_the_others_do_not_hear_each_other_nobody_is_named(self):
        weak = {name: {"effect": 0.05} for name in "ABCD"}
        assert misheard(sites("", **weak, X={"labels": (1, 2, 3, 0), "effect": 0.05})) == {}

    def test_only_the_worst_is_named_at_once_and_then_the_next(self):
        rings = sites("ABCDEFG", X={"labels": (1, 2, 3, 0)}, Y={"labels": (1, 0, 3, 2)})
        first = misheard(rings)
        assert len(first) == 1
        left = {name: one for name, one in rings.items() if name not in first}
        second = misheard(left)
        assert sorted((*first, *second)) == ["X", "Y"]
        assert misheard({name: one for name, one in left.items() if name not in second}) == {}

    def test_fewer_than_four_name_nobody(self):
        assert misheard(sites("AB", X={"labels": (1, 2, 3, 0)})) == {}
