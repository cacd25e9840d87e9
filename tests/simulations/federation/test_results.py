"""What a simulation found: real and federated scores side by side, and one table."""

import json

import numpy as np
import pytest
from rich.console import Console

from common.corpora import read_corpus
from common.errors import UserError
from common.features.scaling import Scaling
from common.recognizers.trying import confusions_by_speaker
from common.scoring import Confusion
from common.space import SIDE
from simulations.federation.results import (
    RESULTS,
    aside_lines,
    outcome_of,
    table_of,
    write_results,
)

RIGHT = [[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, 2]]
WRONG = [[0, 2, 0, 0], [2, 0, 0, 0], [0, 0, 0, 2], [0, 0, 2, 0]]
OUTCOME = {
    "failures": [],
    "quarantined": [],
    "folds": [{"train": ["b"], "test": ["a"], "noise": {"a": None}}, {"train": ["a"], "test": ["b"], "noise": {}}],
}


@pytest.fixture(scope="module")
def manifest(config, speech):
    return read_corpus("table", speech, emotions=config.corpus.emotions)


def test_counts_by_speaker_are_of_what_was_predicted(manifest):
    """Of a recognizer that always says the third emotion."""

    class Third:
        def utterances(self, utterances, stop):
            return np.tile([0.1, 0.2, 0.4, 0.3], (len(list(utterances)), 1))

    log_mels = [np.zeros((SIDE, 9), np.float16)] * len(manifest)
    confusions = confusions_by_speaker(Third(), log_mels, manifest, Scaling(-16.0, 4.0))
    assert [confusion.counts.tolist() for confusion in confusions] == [[[0, 0, 1, 0]] * 4] * len(manifest.speakers)


def test_modes_stand_side_by_side_with_interval_and_n(config, tmp_path):
    modes = {"real": {"a": [RIGHT], "b": [RIGHT]}, "federated": {"a": [RIGHT, WRONG], "b": [RIGHT]}}
    results = write_results(tmp_path, config, modes, OUTCOME)
    assert json.loads((tmp_path / RESULTS).read_text()) == results
    scores = results["modes"]
    assert (scores["real"]["macro_f1"]["mean"], scores["real"]["macro_f1"]["n"]) == (1.0, 16)
    federated = scores["federated"]["uar"]
    assert (federated["mean"], federated["n"]) == (pytest.approx(0.75), 24)
    assert federated["low"] <= federated["mean"] <= federated["high"]
    console = Console(record=True, width=120)
    console.print(table_of(results))
    shown = console.export_text()
    assert "1.00 (1.00 to 1.00)" in shown
    assert "0.75 (" in shown
    assert "24" in shown


def test_modes_are_compared_on_the_folds_that_all_of_them_have(config, tmp_path):
    modes = {"real": {"a": [RIGHT, RIGHT], "b": [WRONG]}, "federated": {"a": [RIGHT, WRONG], "b": []}}
    results = write_results(tmp_path, config, modes, OUTCOME)
    scores = {name: (scores["macro_f1"]["mean"], scores["macro_f1"]["n"]) for name, scores in results["modes"].items()}
    assert scores == {"real": (1.0, 16), "federated": (pytest.approx(0.5), 16)}
    assert table_of(results).title.endswith("leave one session out, 1 of 2 folds")


def test_a_fold_that_was_lost_before_it_could_be_scored_is_told_of_too(config, tmp_path):
    modes = {"real": {"a": [RIGHT], "b": [RIGHT], "c": [WRONG]}, "federated": {"a": [RIGHT], "b": [RIGHT]}}
    assert table_of(write_results(tmp_path, config, modes, OUTCOME)).title.endswith(", 2 of 3 folds")


def test_counts_with_the_sites_noise_may_be_negative_are_scored_and_told_of(config, tmp_path):
    noised = [[3, -1, 0, 0], [0, 1, 0, 1], [-2, 0, 2, 0], [0, 0, 0, 2]]
    folds = [{**OUTCOME["folds"][0], "noise": {"a": 0.26}}, {**OUTCOME["folds"][1], "noise": {"b": 1.0}}]
    results = write_results(tmp_path, config, {"federated": {"a": [noised], "b": [RIGHT]}}, OUTCOME | {"folds": folds})
    assert results["counts"]["federated"]["a"] == [noised]
    assert results["modes"]["federated"]["accuracy"]["mean"] == 1.0  # of 8 and 6 in all, kept within 0 and 1
    assert table_of(results).title.endswith("; counts with the sites' noise, epsilon 0.26, 1")


def test_scores_of_the_sites_own_speakers_are_not_called_a_test(config, tmp_path):
    folds = [{"train": ["a", "b"], "test": ["a", "b"], "noise": {}}]
    results = write_results(tmp_path, config, {"federated": {"everyone": [RIGHT, WRONG]}}, OUTCOME | {"folds": folds})
    assert "so no test" in table_of(results).title


def test_a_mode_that_nobody_scored_has_no_row(config, tmp_path):
    modes = {"real": {"a": [RIGHT], "b": [RIGHT]}, "federated": {"a": [], "b": []}}
    results = write_results(tmp_path, config, modes, OUTCOME | {"failures": [{"client": "0"}]})
    assert list(results["modes"]) == ["real"]
    assert results["failures"] == [{"client": "0"}]


def test_speakers_without_a_name_are_numbered_within_their_fold():
    labels = ("neutral", "angry", "sad", "happy")
    outcome = outcome_of(labels, {"a": [RIGHT, WRONG], "b": [RIGHT]}, seed=3)
    assert outcome.speakers == ("a#0", "a#1", "b#0")
    assert outcome.values("accuracy").tolist() == [[0.5, 1.0]]
    with pytest.raises(UserError):
        outcome_of(labels, {"a": [RIGHT]}, seed=3)
    assert Confusion(labels, RIGHT).n == 8


def test_what_was_put_aside_stands_in_the_results_and_is_a_line_each(config, tmp_path):
    aside = [{"session": "x", "check": "samples", "reason": "its samples are constant"}]
    results = write_results(tmp_path, config, {"federated": {"a": [RIGHT, WRONG]}}, OUTCOME | {"quarantined": aside})
    assert json.loads((tmp_path / RESULTS).read_text())["quarantined"] == aside
    assert aside_lines(results) == ["x is put aside: its samples are constant"]
    assert aside_lines(results | {"quarantined": []}) == []
