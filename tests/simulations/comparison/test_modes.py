"""The modes, and how they are chosen."""

import pytest

from common.errors import UserError
from common.synthesizers import SYNTHESIZERS
from simulations.comparison.modes import MODES, choose_modes


def test_where_none_is_named_all_that_the_paper_speaks_of_are_compared():
    assert [mode.name for mode in choose_modes([])] == [
        "real",
        "centralized",
        "federated",
        "baseline",
        "floor",
        "real+synthetic",
    ]


def test_an_unknown_mode_is_named_with_those_there_are():
    with pytest.raises(UserError, match=r"no such mode: imagined; there are real, .*real\+synthetic"):
        choose_modes(["real", "imagined"])


def test_every_synthesizer_has_a_mode_and_every_mode_a_synthesizer_that_there_is():
    assert {mode.synthesizer for mode in MODES.values()} - {None} == set(SYNTHESIZERS)
