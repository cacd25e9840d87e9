"""Holm's correction: a published example, and what it is for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from common.scoring.families import holm


def test_four_p_values_come_out_as_worked_by_hand():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02}
    )


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_a_corrected_value_is_never_smaller_nor_beyond_bonferroni_and_keeps_the_order(p_values):
    corrected = list(holm(dict(enumerate(p_values))).values())
    for before, after in zip(p_values, corrected, strict=True):
        assert before <= after <= min(1.0, before * len(p_values) + 1e-12)
    assert all(
        one <= other
        for a, one in zip(p_values, corrected, strict=True)
        for b, other in zip(p_values, corrected, strict=True)
        if a < b
    )


def test_twenty_comparisons_of_nothing_are_rarely_sure_and_uncorrected_ones_mostly_are():
    drawn = np.random.default_rng(0).uniform(size=(2000, 20))
    wrongly = np.mean([min(holm(dict(enumerate(row))).values()) < 0.05 for row in drawn])
    assert wrongly == pytest.approx(0.05, abs=0.015)
    assert (drawn.min(axis=1) < 0.05).mean() > 0.6


def test_what_is_no_probability_is_refused_and_an_empty_family_is_empty():
    assert holm({}) == {}
    for wrong in (1.5, -0.1, float("nan")):
        with pytest.raises(UserError, match="between 0 and 1"):
            holm({"a": wrong})
