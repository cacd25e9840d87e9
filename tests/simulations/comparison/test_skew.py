"""Sessions that lack emotions: every mode is fitted, trained and scored, and federated as a campaign does it."""

import json

import pytest
from rich.console import Console

from common.scoring import AVERAGED_OVER
from server.campaign import RESULTS as CAMPAIGN
from simulations.comparison.campaign import simulate_campaign
from simulations.comparison.modes import choose_modes
from simulations.comparison.schema import RESULTS
from simulations.comparison.setting import prepare
from simulations.comparison.units import units_for

MODES = ("real", "centralized", "federated", "baseline", "real+synthetic")


@pytest.fixture(scope="module")
def skewed(config):
    """Every emotion is somewhere, and no session has all."""
    corpus = config.corpus.model_copy(update={"skew": 0.5, "skew_seed": 9})
    return config.model_copy(update={"corpus": corpus})


@pytest.fixture(scope="module")
def setting(skewed, weights):
    return prepare(skewed, weights, lambda done, total: None)


@pytest.fixture(scope="module")
def results(comparing, skewed, tmp_path_factory):
    run = tmp_path_factory.mktemp("run") / "skewed"
    return comparing(run, settings=skewed, modes=MODES, units=run.parent / "units")  # of its own: lines name no skew


def test_the_sessions_are_skewed(setting):
    held = [setting.part(session).held for session in setting.folds]
    assert all(not all(one) for one in held)
    assert all(map(any, zip(*held, strict=True)))


def test_every_mode_is_scored_on_what_each_fold_holds(results, setting):
    assert results["failures"] == results["quarantined"] == []
    assert results["averaged_over"] == AVERAGED_OVER
    assert list(results["modes"]) == list(MODES)
    for mode in results["modes"].values():
        for metric in ("macro_f1", "uar", "accuracy"):
            score = mode[metric]
            assert (score["n"], score["folds"]) == (len(setting.manifest), 3)
            assert 0 <= score["low"] <= score["mean"] <= score["high"] <= 1
            assert 0 <= mode["pooled"][metric] <= 1
    tested = {fold["name"]: fold["utterances"] for fold in results["folds"]}
    assert {name: tuple(n > 0 for n in counts) for name, counts in tested.items()} == {
        session: setting.part(session).held for session in setting.folds
    }


@pytest.mark.slow
def test_federated_and_real_are_what_a_campaign_gives(results, skewed, weights, tmp_path):
    order = {"backend": "serial", "plan": "leave-one-session-out", "with_real": True, "resume": False}
    simulate_campaign(skewed, tmp_path, weights, **order, console=Console(quiet=True))
    campaign = json.loads((tmp_path / CAMPAIGN).read_text())
    for fold in campaign["folds"]:
        matrices = [matrix for session in fold["counts"].values() for matrix in session]
        assert sorted(results["counts"]["federated"]["0"][fold["name"]].values()) == sorted(matrices)
    assert json.loads((tmp_path / RESULTS).read_text())["counts"]["real"] == results["counts"]["real"]


def test_whoever_normalises_skewed_sessions_by_themselves_is_warned(skewed, config, weights):
    methods = config.methods.model_copy(update={"synthesizer": "gaussian", "recognizer": "svm"})

    def warnings(settings, normalisation):
        vectors = settings.vectors.model_copy(update={"normalisation": normalisation})
        chosen = settings.model_copy(update={"methods": methods, "vectors": vectors})
        return prepare(chosen, weights, lambda done, total: None).warnings()

    (warning,) = warnings(skewed, "session")
    assert warning.startswith("Session1, Session2, Session3 hold not every emotion")
    assert warnings(config, "session") == warnings(skewed, "training") == []


def test_a_skew_is_another_key_and_none_is_none(setting, config, weights):
    def keys(setting):
        folds = list(setting.folds.values())
        return {str(unit): unit.key for unit in units_for(setting, choose_modes(["federated"]), folds, [0])}

    whole = prepare(config, weights, lambda done, total: None)
    none = config.model_copy(update={"corpus": config.corpus.model_copy(update={"skew": "none"})})
    assert keys(prepare(none, weights, lambda done, total: None)) == keys(whole)
    assert not {*keys(setting).values()} & {*keys(whole).values()}
