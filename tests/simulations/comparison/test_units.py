"""The graph of units: what needs what, and which setting makes which unit another."""

import pytest

from simulations.comparison.modes import choose_modes
from simulations.comparison.setting import prepare
from simulations.comparison.units import units_for


@pytest.fixture(scope="module")
def setting(config, weights):
    return prepare(config, weights, lambda done, total: None)


@pytest.fixture
def units_of(setting):
    """A function from modes, seeds and changed settings to the units."""

    def make(modes, seeds=1, **changes):
        from dataclasses import replace

        sections = {name: getattr(setting.config, name).model_copy(update=changed) for name, changed in changes.items()}
        other = replace(setting, config=setting.config.model_copy(update=sections))
        return units_for(other, choose_modes(modes), tuple(other.folds.values()), range(seeds))

    return make


def keys(units, *kinds):
    return {unit.key for unit in units if not kinds or unit.kind in kinds}


def test_every_unit_comes_once_and_after_what_it_needs(units_of):
    units = units_of([], seeds=2)
    assert len(keys(units)) == len(units)
    before = set()
    for unit in units:
        assert {need.key for need in unit.needs} <= before
        before.add(unit.key)


def test_a_client_is_tuned_once_a_seed_for_all_folds_that_pool_it(units_of):
    units = units_of(["federated"], seeds=2)
    assert sum(unit.kind == "tune" for unit in units) == 2 * 3
    trains = [unit for unit in units if unit.kind == "train"]
    assert {unit.place: {need.place for need in unit.needs} for unit in trains}["Session2"] == {"Session1", "Session3"}


def test_the_gan_of_all_sessions_serves_two_modes(units_of):
    units = units_of(["centralized", "real+synthetic"])
    assert sum(unit.kind == "fit" for unit in units) == 3


def test_a_mode_or_a_seed_more_leaves_all_others_as_they_are(units_of):
    few = keys(units_of(["federated"]))
    assert few < keys(units_of(["federated", "floor"]))
    assert few < keys(units_of(["federated"], seeds=2))


@pytest.mark.parametrize(
    ("changes", "same", "other"),
    [
        ({"recognizer": {"iterations": 3}}, ("tune", "fit"), ("train", "score")),
        ({"sampling": {"latent_scale": 1.3}}, ("tune", "fit"), ("train", "score")),
        ({"finetuning": {"iterations": 3}}, (), ("tune", "train")),
        ({"campaign": {"attempts": 5}}, ("tune", "fit", "train", "score", "quality"), ()),
        ({"runtime": {"precision": "auto"}}, ("tune", "fit", "train", "score", "quality"), ()),
    ],
)
def test_a_setting_changes_the_units_that_hang_on_it(units_of, changes, same, other):
    before, after = units_of(["centralized", "federated"]), units_of(["centralized", "federated"], **changes)
    assert keys(before, *same) == keys(after, *same) if same else True
    for kind in other:
        assert not keys(before, kind) & keys(after, kind)


def test_the_baselines_settings_leave_the_papers_tunings_alone(units_of):
    before, after = units_of([]), units_of([], chatziagapi={"iterations": 9})
    changed = keys(after, "tune", "fit") - keys(before, "tune", "fit")
    assert {unit.subject for unit in after if unit.key in changed} == {"chatziagapi"}
