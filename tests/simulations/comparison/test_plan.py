"""What a comparison is foretold to cost."""

from dataclasses import replace

import pytest

from common.config import Config
from common.errors import UserError
from simulations.comparison.modes import choose_modes
from simulations.comparison.plan import AUDIT, Prices, measure, plan_lines, workers_for
from simulations.comparison.setting import prepare
from simulations.comparison.store import Store
from simulations.comparison.units import units_for


@pytest.fixture(scope="module")
def setting(config, weights):
    return prepare(config, weights, lambda done, total: None)


@pytest.fixture
def planned(setting):
    return units_for(setting, choose_modes(["real", "federated"]), tuple(setting.folds.values()), [0])


def test_a_step_of_each_kind_is_measured(setting):
    seconds = measure(setting)
    assert set(seconds) == {"tune", "fit", "twin", "train", "audit"}
    assert all(0 < seconds[kind] < 10 for kind in ("tune", "fit", "twin", "train"))
    assert seconds["audit"] > 100 * seconds["twin"], "it is no step, but a search for each recording in each twin"


def test_two_steps_of_any_recognizer_are_enough_to_measure_it(setting):
    """A whole training of VGG19 is minutes, in which nothing would be told."""
    methods = setting.config.methods.model_copy(update={"recognizer": "vgg19"})
    patient = setting.config.model_copy(update={"methods": methods, "vgg19": {"width": 0.02, "iterations": 10**9}})
    assert 0 < measure(replace(setting, config=Config.model_validate(patient.model_dump())))["train"] < 10


def test_a_recognizer_of_one_step_costs_that_step(setting):
    one = setting.config.model_copy(
        update={"recognizer": setting.config.recognizer.model_copy(update={"iterations": 1})}
    )
    assert 0 < measure(replace(setting, config=one))["train"] < 10


def test_nothing_is_measured_that_does_not_fit_into_memory(setting, monkeypatch):
    monkeypatch.setattr("common.networks.memory.available_memory", lambda device: 1000)
    with pytest.raises(UserError, match="a fit of eskimez needs"):
        measure(setting)


def test_an_audit_of_networks_is_foretold_from_the_twins_that_were_timed(setting, planned, tmp_path):
    def like(kind, subject="eskimez", steps=10):
        identity = {**planned[0].identity, "kind": kind, "subject": subject}
        return replace(planned[0], kind=kind, subject=subject, identity=identity, steps=steps)

    store, audit = Store(tmp_path), like("audit", "rank 2", 0)
    store.finish(like("twin"), 4.0)
    assert Prices.of([like("twin")], setting, store).of_unit(audit) == pytest.approx(AUDIT * 0.4)
    store.finish(like("audit", "federated", 0), 400.0)
    assert Prices.of([like("twin")], setting, store).of_unit(audit) == 400.0


def test_what_was_timed_here_foretells_what_is_new(setting, planned, tmp_path):
    store = Store(tmp_path)
    first = next(unit for unit in planned if unit.kind == "tune")
    store.finish(first, 10.0)
    prices = Prices.of(planned, setting, store)
    others = [unit for unit in planned if unit.kind == "tune"]
    assert [prices.of_unit(unit) for unit in others] == [10.0] * 3
    assert prices.of_unit(next(unit for unit in planned if unit.kind == "score")) > 0


def test_the_plan_tells_what_is_here_already_and_how_long_the_rest_takes(planned, tmp_path):
    store = Store(tmp_path)
    prices = Prices({}, {"tune": 30.0, "train": 60.0, "score": 0.0, "quality": 0.0})
    units, seconds = plan_lines(planned, store, prices, workers=2)
    assert units.startswith("24 units: tune 3 (3 new), train 6 (6 new), score 6 (6 new), quality 9 (9 new)")
    assert seconds == "about 0:07:30 in 2 processes"
    store.finish(planned[0], 1.0)
    for unit in planned:
        store.finish(unit, 1.0)
    assert plan_lines(planned, store, prices, workers=2)[1] == "nothing to compute"


def test_time_that_was_spent_before_an_interruption_counts(planned, tmp_path):
    store = Store(tmp_path)
    store.spend(planned[0], 5.0)
    store.spend(planned[0], 2.0)
    store.finish(planned[0], 1.0)
    assert store.card(planned[0])["seconds"] == 8.0


def test_processes_are_as_many_as_cores_unless_a_number_is_wanted(config):
    assert workers_for(config, 0) == 0
    assert workers_for(config, 7) == 7
    assert workers_for(config, None) >= 1
