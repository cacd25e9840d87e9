"""A comparison under other protocols than the usual one: what is computed once, who hears what, what comes out."""

import pytest

from client.door import held_speech
from client.simulated import simulated_site
from common.config import Config
from common.protocols.drawing import counts
from common.training.reporters import Reporter
from simulations.comparison import fitting
from simulations.comparison.fitting import tune
from simulations.comparison.job import Job
from simulations.comparison.modes import choose_modes
from simulations.comparison.schema import read_results
from simulations.comparison.setting import choose_folds, prepare
from simulations.comparison.store import Store
from simulations.comparison.table import arms_table
from simulations.comparison.units import units_for
from simulations.report.writing import write_report

CURVE = {"curve": {"sets": 2, "draws": 2}}
HALF = {"imbalance": {"removed": 0.5, "draws": 2, "spared": ["neutral", "angry", "sad"]}}
SOME = {"low_resource": {"percent": [50], "samples": [0, 7], "draws": 1, "heard": "same"}}


@pytest.fixture(scope="module")
def under(config):
    """A function from a protocol and its sections to the configuration."""

    def make(protocol, **sections):
        plain = config.model_dump(mode="json")
        plain["methods"]["protocol"] = protocol
        return Config.model_validate(plain | sections)

    return make


@pytest.fixture
def planned(under, weights):
    """A function from modes, a protocol and its sections to the setting and its units."""

    def make(modes, protocol, **sections):
        setting = prepare(under(protocol, **sections), weights, lambda done, total: None)
        return setting, units_for(setting, choose_modes(modes), choose_folds(setting, []), [0])

    return make


def of_kind(units, kind):
    return [unit for unit in units if unit.kind == kind]


def test_a_curve_fits_once_a_fold_and_tunes_once_a_session(planned):
    _, units = planned(["centralized", "federated"], "augmentation-curve", **CURVE)
    assert len(of_kind(units, "fit")) == len(of_kind(units, "tune")) == 3
    assert len(of_kind(units, "score")) == 2 * 3 * (1 + 2 * 2)
    measured = of_kind(units, "quality")
    assert {unit.place for unit in measured} == {f"Session{number}, q = 0" for number in (1, 2, 3)}
    assert len(measured) == 3 * 4


def test_each_arm_and_draw_trains_anew(planned):
    _, units = planned(["centralized"], "augmentation-curve", **CURVE)
    assert len({unit.key for unit in of_kind(units, "train")}) == 3 * 5


def test_a_removal_is_met_by_the_synthesizer_too(planned):
    setting, units = planned(["centralized"], "imbalance", **HALF)
    for unit in of_kind(units, "fit"):
        found = counts(setting.folds[unit.place].fitted)
        assert found["happy"] == found["sad"] / 2
    measured = of_kind(units, "quality")
    assert {unit.place for unit in measured} == {f"Session{number}, happy, draw 1" for number in (1, 2, 3)}


def test_another_part_is_another_unit(planned):
    keys = [
        {unit.key for unit in of_kind(planned(["real"], "low-resource", **part)[1], "train")}
        for percent in (50, 60, 100)
        if (part := {"low_resource": SOME["low_resource"] | {"percent": [percent], "samples": [0]}})
    ]
    assert len(keys[0] & keys[2]) == 0
    assert len(keys[0]) == len(keys[2]) == 3


def test_a_site_holds_what_a_trial_leaves_of_its_session(planned, tmp_path, monkeypatch):
    setting, units = planned(["federated"], "leave-one-speaker-out", corpus={"name": "table", "skew": 1.0})
    monkeypatch.setattr(fitting, "POLL", 0.01)
    whole = [unit for unit in of_kind(units, "tune") if not unit.trial]
    cut = [unit for unit in of_kind(units, "tune") if unit.trial]
    assert (len(whole), len(cut)) == (3, 6)
    job = Job(cut[0], setting, Store(tmp_path), Reporter(), lambda: False)
    tune(job)
    site = simulated_site(job.folder / "site" / "sites", 0)
    assert site.skew == "none"  # which is done already
    read = held_speech(site)  # as its keeper reads it
    left = setting.part(cut[0].place, cut[0].trial)
    assert (len(read), set(read.speakers)) == (len(left), set(left.speakers))
    assert not {*read.speakers} & {*setting.folds[cut[0].trial].test.speakers}


def test_what_a_site_tuned_on_speech_that_it_skewed_again_is_computed_anew(planned):
    """Only what a trial leaves was skewed twice."""
    for skew, told in (("none", None), (1.0, "once")):
        _, units = planned(["federated"], "leave-one-speaker-out", corpus={"name": "table", "skew": skew})
        tuned = of_kind(units, "tune")
        assert {unit.identity["settings"].get("skewed") for unit in tuned if unit.trial} == {told}
        assert {unit.identity["settings"].get("skewed") for unit in tuned if not unit.trial} == {None}


@pytest.mark.parametrize(
    ("protocol", "sections", "arms", "watched"),
    [
        ("imbalance", HALF, ["happy"], "happy"),
        pytest.param("low-resource", SOME, ["50 % + 0", "50 % + 7"], "", marks=pytest.mark.slow),
    ],
)
def test_arms_are_scored_and_shown(comparing, under, blank_figures, tmp_path, protocol, sections, arms, watched):
    comparing(tmp_path / "run", modes=("real", "federated"), settings=under(protocol, **sections))
    results = read_results(tmp_path / "run")
    assert results.failures == []
    assert [(arm.name, arm.watched) for arm in results.arms] == [(name, watched) for name in arms]
    assert all(row is not None and row.uar.n == 24 for arm in results.arms for row in arm.modes.values())
    assert all((row.recall is not None) == bool(watched) for arm in results.arms for row in arm.modes.values())
    assert [column.header for column in arms_table(results).columns] == ["trained on", *arms]
    assert results.modes["real"].complete
    assert len(results.folds) == 3
    assert set(results.quality) == {"federated", "copying", "noise"}
    told = [arm.modes["federated"].difference for arm in results.arms]
    assert all(one is not None and one.holm is not None and one.holm >= one.p_value for one in told)
    assert all(arm.modes["real"].difference is None for arm in results.arms)
    assert [arm.point is not None for arm in results.arms] == [not watched] * len(arms)
    page = write_report(tmp_path / "run").read_text()
    assert 'id="arms"' in page
    assert (tmp_path / "run" / "figures" / ("imbalance.png" if watched else "against.png")).exists()


def test_the_usual_protocol_has_no_arms(whole):
    """A control."""
    results = read_results(whole[1])
    assert results.arms == []
    assert arms_table(results) is None
    assert results.protocol == "leave one session out"
