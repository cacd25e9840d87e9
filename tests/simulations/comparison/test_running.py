"""A comparison from its order to its results: the same numbers as a campaign's, and nothing computed twice."""

import json

import pytest
import torch
from rich.console import Console

from common.errors import UserError, UserErrors
from common.training.checkpoint import read_tensors
from server.campaign import RESULTS as CAMPAIGN
from simulations.comparison import doing, fitting
from simulations.comparison.campaign import simulate_campaign
from simulations.comparison.running import Order, Stopped, check_run, run_comparison
from simulations.comparison.schema import RESULTS, read_results
from simulations.comparison.store import Store
from simulations.comparison.table import aside_lines

PAPERS = ["real", "centralized", "federated", "baseline", "floor", "real+synthetic"]


def simulated(run, config, weights):
    """The same configuration as a campaign, with the real mode beside it."""
    order = {"backend": "serial", "plan": None, "with_real": True, "resume": False}
    simulate_campaign(config, run, weights, **order, console=Console(quiet=True))


def test_every_mode_is_scored_on_every_utterance_of_every_fold(whole):
    results, _ = whole
    assert list(results["modes"]) == PAPERS
    for mode in results["modes"].values():
        for metric in ("macro_f1", "uar", "accuracy"):
            score = mode[metric]
            assert (score["n"], score["folds"], score["seeds"]) == (24, 3, 1)
            assert score["low"] <= score["mean"] <= score["high"]
    assert results["failures"] == []
    scored = {json.dumps({fold: list(by) for fold, by in table["0"].items()}) for table in results["counts"].values()}
    assert len(scored) == 1


def test_the_file_is_the_answer(whole):
    results, folder = whole
    assert json.loads((folder / RESULTS).read_text()) == results


def test_federated_and_real_are_what_a_campaign_gives_for_that_seed(
    whole, config, weights, units, tensors_of, tmp_path
):
    results, _ = whole
    simulated(tmp_path / "campaign", config, weights)
    campaign = json.loads((tmp_path / "campaign" / CAMPAIGN).read_text())
    for fold in campaign["folds"]:
        matrices = [matrix for session in fold["counts"].values() for matrix in session]
        ours = results["counts"]["federated"]["0"][fold["name"]].values()
        assert sorted(ours) == sorted(matrices)
        trained = read_tensors(tmp_path / "campaign" / "recognizers" / fold["name"] / "model")[0]
        here = tensors_of(units, f"train federated, {fold['name']}, seed 0", "recognizer")
        assert all(torch.equal(here[name], trained[name]) for name in trained)
    told = json.loads((tmp_path / "campaign" / RESULTS).read_text())
    assert told["counts"]["real"] == results["counts"]["real"]
    for name in ("real", "federated"):
        for part in ("macro_f1", "uar", "accuracy"):
            assert told["modes"][name][part]["mean"] == results["modes"][name][part]["mean"]
    assert {row["pairs"] for row in told["paired"]} == {3}


def test_what_is_computed_is_not_computed_again(whole, comparing, counting, tmp_path):
    results, _ = whole
    again = comparing(tmp_path / "another run")
    assert counting == []
    same = [key for key in results if key not in ("seconds", "wall", "environment", "command")]
    assert [again[key] for key in same] == [results[key] for key in same]
    assert again["seconds"]["train"]["cached"] == again["seconds"]["train"]["units"] == 18


def test_a_mode_or_a_seed_more_costs_only_what_is_new(whole, comparing, counting, tmp_path):
    comparing(tmp_path, modes=["real", "floor"], folds=["Session1"], seeds=2)
    assert {line.rsplit(" ", 1)[1] for line in counting} == {"1"}
    kinds = [line.split(" ")[0] for line in counting]
    assert sorted(kinds) == sorted(["fit", "train", "train", "score", "score", "quality", "quality", "quality"])


def test_runs_that_differ_in_sampling_share_their_tunings(whole, comparing, config, counting, tmp_path):
    wider = config.model_copy(update={"sampling": config.sampling.model_copy(update={"latent_scale": 1.3})})
    comparing(tmp_path, modes=["federated"], folds=["Session1"], settings=wider)
    assert not [line for line in counting if line.startswith("tune")]
    assert [line for line in counting if line.startswith("train")] == ["train federated, Session1, seed 0"]


def test_a_unit_that_fails_is_named_and_the_others_go_on(whole, comparing, monkeypatch, tmp_path, config):
    """The second seed's fit is broken; what does not need it is scored."""
    fit = doing.WORK["fit"]

    def broken(job):
        if job.unit.subject == "floor" and job.unit.seed == 1:
            raise UserError("the disk is full", where="there")
        fit(job)

    monkeypatch.setitem(doing.WORK, "fit", broken)
    results = comparing(tmp_path, modes=["real", "floor"], folds=["Session2"], seeds=2)
    (failure,) = results["failures"]
    assert failure["unit"] == "fit floor, Session2, seed 1"
    assert (failure["modes"], failure["reason"]) == (["floor"], "the disk is full: there")
    assert results["modes"]["real"]["macro_f1"]["seeds"] == 2
    floor = results["modes"]["floor"]
    assert (floor["complete"], floor["whole_seeds"], floor["macro_f1"]["seeds"]) == (False, [0], 1)


def test_a_generator_that_nothing_can_be_learnt_from_is_named_and_left_out(comparing, monkeypatch, tmp_path):
    released = fitting._await_release

    def mute(keeper, requests, question, job):
        release = released(keeper, requests, question, job)
        if job.unit.place != "Session2":
            return release
        return release.model_copy(update={"released": {name: 0 * w for name, w in release.released.items()}})

    monkeypatch.setattr(fitting, "_await_release", mute)
    order = {"modes": ["federated"], "folds": ["Session1", "Session3"], "units": tmp_path / "units"}
    results = comparing(tmp_path / "run", **order)
    reason = "its samples are constant: nothing varies within a patch"
    assert results["quarantined"] == [{"session": "Session2", "seed": 0, "reason": reason}]
    assert results["failures"] == []
    assert results["modes"]["federated"]["macro_f1"]["folds"] == 2
    assert list(aside_lines(read_results(tmp_path / "run"))) == [f"Session2 is put aside, seed 0: {reason}"]


def test_a_mode_whose_every_client_was_put_aside_says_so(comparing, monkeypatch, tmp_path):
    monkeypatch.setattr(fitting, "fault_of", lambda patches, space: "odd")
    order = {"modes": ["real", "federated"], "folds": ["Session1"], "units": tmp_path / "units"}
    results = comparing(tmp_path / "run", **order)
    assert [one["session"] for one in results["quarantined"]] == ["Session2", "Session3"]
    assert {failure["reason"] for failure in results["failures"]} == {"no generator to draw from"}


def test_a_mode_whose_every_seed_failed_has_no_score_and_a_mistake_of_ours_is_traced(comparing, monkeypatch, tmp_path):
    def broken(job):
        raise ZeroDivisionError("oh")

    monkeypatch.setitem(doing.WORK, "tune", broken)
    results = comparing(tmp_path, modes=["real", "federated"], folds=["Session3"], units=tmp_path / "units")
    assert results["modes"]["federated"]["macro_f1"] is None
    assert results["modes"]["real"]["macro_f1"]["n"] == 8
    assert {failure["reason"][:21] for failure in results["failures"]} == {"ZeroDivisionError: oh"}
    assert list((tmp_path / "units").glob("tune/*/error.txt"))


@pytest.mark.parametrize("asked", [4, 9, 14])
def test_what_is_stopped_goes_on_to_the_same_results(comparing, whole, units, tensors_of, tmp_path, asked):
    times = iter(range(1000))
    order = {"modes": ["real", "baseline"], "folds": ["Session1"], "units": tmp_path / "units"}
    with pytest.raises(Stopped):
        comparing(tmp_path / "run", stop=lambda: next(times) >= asked, **order)
    results = comparing(tmp_path / "run", **order)
    ours, theirs = (table["counts"]["baseline"]["0"]["Session1"] for table in (results, whole[0]))
    assert ours == theirs
    for line, name in (("fit chatziagapi", "release"), ("train baseline", "recognizer"), ("train real", "recognizer")):
        here, there = (tensors_of(place, f"{line}, Session1, seed 0", name) for place in (tmp_path / "units", units))
        assert all(torch.equal(here[name], there[name]) for name in there)


def test_the_directory_of_another_configuration_is_refused_with_the_difference(whole, comparing, config):
    folder = whole[1]
    check_run(folder, config)
    with pytest.raises(UserErrors, match=r"another configuration; choose another --run.*\n.*seed: 0 .*, 7 asked for"):
        comparing(folder, settings=config.model_copy(update={"seed": 7}))


def test_a_directory_that_holds_something_else_is_refused(config, tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(UserError, match="holds something else"):
        check_run(tmp_path, config)


def test_a_mistake_does_not_claim_the_directory(comparing, config, tmp_path):
    with pytest.raises(UserError, match="no such fold"):
        comparing(tmp_path / "run", folds=["Session9"])
    check_run(tmp_path / "run", config.model_copy(update={"seed": 7}))


def test_an_unknown_mode_is_refused_before_anything_is_written(config, tmp_path):
    with pytest.raises(UserError, match="no such mode: fedrated; there are real, centralized, federated"):
        run_comparison(config, Order(tmp_path / "run", modes=["fedrated"]), Console(quiet=True), lambda: False)
    assert not (tmp_path / "run").exists()


def test_two_comparisons_do_not_work_on_the_same_units(comparing, tmp_path):
    with Store(tmp_path / "units").alone(), pytest.raises(UserError, match="another comparison is at work"):
        comparing(tmp_path / "run", units=tmp_path / "units", modes=["real"])
