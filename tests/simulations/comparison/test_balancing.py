"""Changed and left-out recordings as rows of a comparison: reached by name, computed under two protocols."""

import json

import pytest

from common.augmentation import STAYS
from common.augmentation.plans import RATIOS
from common.config import Config, load_config
from common.errors import UserError
from common.spaces import PATCHES, Vectors
from simulations.comparison.modes import BALANCING, choose_modes
from simulations.comparison.schema import read_results

SPACE = Vectors(set="functionals", size=1715, scale="session")
HALF = {"removed": 0.5, "draws": 1, "spared": ["neutral", "angry", "sad"]}


@pytest.fixture(scope="module")
def of_vectors(config):
    best = load_config("best")
    return config.model_copy(update={name: getattr(best, name) for name in ("methods", "vectors")})


def under(config, protocol, **sections):
    plain = config.model_dump(mode="json")
    plain["methods"]["protocol"] = protocol
    return Config.model_validate(plain | sections)


@pytest.mark.parametrize("space", [SPACE, PATCHES])
def test_each_is_a_mode_of_both_spaces_and_none_is_computed_unasked(space):
    named = [mode.name for mode in choose_modes([*BALANCING, "undersampling"], space)]
    assert named == [*BALANCING, *(f"undersampling {ratio:g}" for ratio in RATIOS)]
    assert not {mode.name for mode in choose_modes([], space)} & set(named)


@pytest.mark.parametrize(("name", "reason"), [("sa", "sa"), ("smote", "smote"), ("undersampling", "undersampling")])
def test_federated_it_is_refused_with_its_sentence(name, reason):
    with pytest.raises(UserError, match=STAYS[reason]) as told:
        choose_modes(["real", f"{name} federated"], SPACE)
    assert "\n" not in str(told.value)
    assert "compare it where the recordings are" in str(told.value)


def test_a_synthesizer_that_may_leave_is_no_such_thing():
    """A control."""
    assert [mode.name for mode in choose_modes(["gaussian federated"], SPACE)] == ["gaussian, federated"]


def test_they_are_scored_beside_real_speech_with_a_dagger_and_no_quality(comparing, of_vectors, tmp_path):
    modes = ("real", "sars", "undersampling 1")
    comparing(tmp_path / "run", settings=of_vectors, base=None, modes=modes, folds=["Session1"], seeds=1)
    results = read_results(tmp_path / "run")
    assert results.failures == []
    assert [bool(row.stays) for row in results.modes.values()] == [False, True, True]
    assert all(row.complete for row in results.modes.values())
    assert list(results.quality) == ["copying", "noise"]


@pytest.mark.slow
def test_under_imbalance_they_meet_the_same_removal(comparing, of_vectors, tmp_path):
    settings, modes = under(of_vectors, "imbalance", imbalance=HALF), ("real", "sarb", "undersampling 0.8")
    comparing(tmp_path / "run", settings=settings, base=None, modes=modes, folds=["Session1"], seeds=1)
    results = read_results(tmp_path / "run")
    assert results.failures == []
    (arm,) = results.arms
    assert arm.name == "happy"
    assert all(row is not None and row.recall is not None for row in arm.modes.values())


def test_a_protocol_that_counts_samples_itself_refuses_them_before_anything_is_written(comparing, of_vectors, tmp_path):
    settings = under(of_vectors, "augmentation-curve", curve={"sets": 1, "draws": 1})
    with pytest.raises(UserError, match=r"sa makes emotions alike, .* compare it under leave-one-session-out"):
        comparing(tmp_path / "run", settings=settings, base=None, modes=("real", "sa"), seeds=1)
    assert not (tmp_path / "run").exists()


def test_a_folder_of_noises_without_sound_is_one_line_before_anything_is_written(comparing, of_vectors, tmp_path):
    (tmp_path / "noises").mkdir()
    runtime = of_vectors.runtime.model_copy(update={"noises": str(tmp_path / "noises")})
    settings = of_vectors.model_copy(update={"runtime": runtime})
    with pytest.raises(UserError, match="the folder of noises has no sound") as told:
        comparing(tmp_path / "run", settings=settings, base=None, modes=("real", "sarb"), seeds=1)
    assert "\n" not in str(told.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_sites_and_folds_make_more_of_recordings_before_they_fit(comparing, of_vectors, tmp_path, units):
    methods = of_vectors.methods.model_copy(update={"augmentation": "copying"})
    settings = under(of_vectors.model_copy(update={"methods": methods}), "imbalance", imbalance=HALF)
    modes = ("gaussian", "gaussian federated")
    comparing(tmp_path / "run", settings=settings, base=None, modes=modes, folds=["Session1"], seeds=1)
    results = read_results(tmp_path / "run")
    assert results.failures == []
    assert all(row.complete for row in results.modes.values())
    cards = [json.loads(path.read_text())["identity"] for path in units.glob("[ft][iu][tn]*/*/card.json")]
    told = [card["settings"].get("augmentation") for card in cards if card["subject"] == "gaussian"]
    assert told.count("copying") == 3
