"""Copying, noise and SMOTE: rows of a comparison on vectors, made where the recordings are, refused everywhere else."""

import io

import pytest
from rich.console import Console

from common.augmentation import STAYS
from common.augmentation.vectors import METHODS
from common.config import load_config
from common.errors import UserError
from common.spaces import PATCHES, Vectors
from simulations.comparison import vectors
from simulations.comparison.modes import AT_DATA, MODES, choose_modes
from simulations.comparison.schema import read_results
from simulations.comparison.table import table_of
from simulations.federation.campaign import order
from simulations.report.tables import results_table

SPACE = Vectors(set="functionals", size=1715, scale="session")


@pytest.fixture(scope="module")
def of_vectors(config):
    best = load_config("best")
    return config.model_copy(update={name: getattr(best, name) for name in ("methods", "vectors")})


@pytest.fixture(scope="module")
def compared(comparing, of_vectors, tmp_path_factory):
    run = tmp_path_factory.mktemp("run") / "at-the-data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "AN_EMOTION", 6)
        modes = ("real", *AT_DATA)
        comparing(run, settings=of_vectors, base=None, modes=modes, folds=["Session1"], seeds=1)
    return read_results(run)


def test_each_method_of_vectors_is_a_mode_of_vectors_alone():
    assert set(AT_DATA) == set(METHODS)
    assert set(AT_DATA) < {mode.name for mode in choose_modes([], SPACE)}
    with pytest.raises(UserError, match="not a mode of patches: smote"):
        choose_modes(["real", "smote"], PATCHES)
    assert not [name for name in AT_DATA if f"{name}, federated" in MODES]


def test_each_is_scored_and_what_it_makes_is_measured_beside_the_controls_of_the_same_name(compared):
    assert compared.failures == []
    assert all(compared.modes[name].complete for name in AT_DATA)
    assert list(compared.quality) == ["copying †", "noise †", "smote †", "copying", "noise"]
    quality = compared.quality
    assert quality["smote †"].spread.mean < quality["copying †"].spread.mean < quality["noise †"].spread.mean
    assert quality["noise"].metric_2_set_1.mean < quality["noise †"].metric_2_set_1.mean


def test_a_row_that_stays_has_a_dagger_and_its_sentence_below_and_no_other_row_has_one(compared):
    console = Console(record=True, width=200, file=io.StringIO())
    console.print(table_of(compared))
    shown, reported = console.export_text(), results_table(compared, {})
    assert [row[0].value for row in reported.rows] == ["real", "copying †", "noise †", "smote †"]
    for name in AT_DATA:
        assert f"{name} †" in shown
        assert " ".join(STAYS[name].split()) in " ".join(shown.split())
        assert STAYS[name] in reported.caption
    assert "real †" not in shown


@pytest.fixture(scope="module")
def averaging(comparing, of_vectors, tmp_path_factory):
    run = tmp_path_factory.mktemp("run") / "averaging"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "AN_EMOTION", 6)
        modes = ("gaussian federated", "federated averaging 1 round", "federated averaging 5 rounds")
        comparing(run, settings=of_vectors, base=None, modes=modes, folds=["Session1"], seeds=1, models=True)
    return read_results(run)


def test_averaging_is_a_row_for_each_number_of_rounds_with_what_it_takes_from_each_site(averaging):
    assert averaging.failures == []
    gaussian, one, five = averaging.modes.values()
    assert (gaussian.releases, one.releases, five.releases) == (1, 1, 5)
    assert five.bytes == 5 * one.bytes == 5 * 4 * (1715 * 100 + 100 + 100 * 100 + 100 + 100 * 4 + 4)
    assert gaussian.bytes == 2 * 1715 * (4 + 16 + 1)
    assert one.macro_f1.mean >= 0
    assert one.confusion != five.confusion or one.macro_f1 == five.macro_f1


def test_the_tables_tell_the_releases(averaging):
    console = Console(record=True, width=200, file=io.StringIO())
    console.print(table_of(averaging))
    shown = " ".join(console.export_text().split())
    assert "federated averaging, 5 rounds 5 of 3.64 MB in all" in shown
    narrow = Console(record=True, width=80, file=io.StringIO())
    narrow.print(table_of(averaging))
    assert f"{averaging.modes['federated averaging, 5 rounds'].macro_f1.mean:.3f}" in narrow.export_text()
    notes = [row[0].note for row in results_table(averaging, {}).rows]
    assert "5 releases of each site, 3.64 MB" in notes[2]
    with pytest.raises(UserError, match="not a mode of patches"):
        choose_modes(["federated averaging 5 rounds"], PATCHES)


@pytest.mark.parametrize("name", AT_DATA)
def test_federated_it_is_refused_with_the_sentence_that_says_why(config, tmp_path, name):
    methods = load_config("best").methods.model_copy(update={"synthesizer": name})
    with pytest.raises(UserError, match=STAYS[name]) as told:
        order(config.model_copy(update={"methods": methods}), tmp_path / "run", tmp_path)
    assert f"eyesoff compare --modes real,{name}" in str(told.value)
    assert not (tmp_path / "run").exists()
