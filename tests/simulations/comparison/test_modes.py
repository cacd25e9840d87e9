"""The modes, and how they are chosen."""

import pytest

from common.config import load_config
from common.errors import UserError
from common.synthesizers import SYNTHESIZERS
from simulations.comparison.modes import FLOOR, MODES, choose_modes


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
    assert {mode.synthesizer for mode in MODES.values()} - {None} == set(SYNTHESIZERS.methods)


def test_each_that_may_leave_a_site_is_also_fitted_at_sites():
    at_sites = {mode.synthesizer for mode in MODES.values() if mode.where == "clients"}
    assert at_sites == {one.name for one in SYNTHESIZERS if one.reach == "anywhere"} - {FLOOR}
    assert MODES["baseline, federated"].synthesizer == "chatziagapi"


def test_what_cannot_be_distilled_is_refused_before_anything_is_fitted():
    config = load_config("demo", ["release.rank=4", "release.eight_bit=true", "release.distilled=true"])
    assert MODES["federated"].of(config) is config
    assert MODES["real"].of(config) is config
    with pytest.raises(UserError, match=r"the row baseline: chatziagapi cannot be distilled: set release\.distilled"):
        MODES["baseline"].of(config)


@pytest.mark.parametrize(
    ("preset", "mode", "form", "why"),
    [
        ("best", "gaussian, federated", ["release.rank=4"], "the row gaussian, federated: .*public"),
        ("demo", "federated", ["release.rank=999"], "the row federated: .*rank 999"),
        ("demo", "centralized", ["release.rank=999"], "the row centralized: .*; or leave the row out"),
    ],
)
def test_a_form_that_a_release_cannot_have_is_refused_before_anything_is_fitted(preset, mode, form, why):
    with pytest.raises(UserError, match=why):
        MODES[mode].of(load_config(preset, form))
    assert MODES["real"].of(load_config(preset, form))
    assert MODES["gaussian, summed"].of(load_config(preset, form))  # what leaves for a sum has a form of its own


def test_modes_that_draw_samples_are_told_from_those_that_hear_real_speech_alone():
    assert all(MODES[name].draws for name in ("centralized", "federated", "smote", "real+synthetic"))
    assert not any(MODES[name].draws for name in ("real", "sa", "undersampling 1", "federated averaging, 1 round"))
