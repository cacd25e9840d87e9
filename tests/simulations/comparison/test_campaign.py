"""A campaign as results: federated and real scores side by side on the folds that both have, and what must be told."""

import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from common.corpora import read_corpus
from common.features.scaling import Scaling
from common.recognizers.trying import confusions_by_speaker
from common.space import SIDE
from server.outcome import FoldFound, Found
from simulations.comparison.campaign import results_of
from simulations.comparison.schema import Aside
from simulations.comparison.table import aside_lines, failure_lines, table_of
from simulations.report.headline import Headline

RIGHT = [[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, 2]]
WRONG = [[0, 2, 0, 0], [2, 0, 0, 0], [0, 0, 0, 2], [0, 0, 2, 0]]
MORE = [[2, 1, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, 2]]
SPEAKERS = {"a": ["ann", "abe"], "b": ["bea", "bob"]}


def found(folds, noise=None, **told):
    """What a campaign of these folds' matrices found; `noise` is by session."""
    of = [
        FoldFound(name, [one for one in folds if one != name], [name], {name: counts}, {name: (noise or {}).get(name)})
        for name, counts in folds.items()
    ]
    return Found(1, "run", "demo", "0", ["x"], list(folds), of, told.get("quarantined", []), told.get("failures", []))


def real(folds):
    """The real mode of such a campaign, by fold and speaker."""
    counts = {fold: dict(zip(SPEAKERS[fold], matrices, strict=False)) for fold, matrices in folds.items() if matrices}
    said = {fold: {name: np.sum(one, axis=1).tolist() for name, one in by.items()} for fold, by in counts.items()}
    return SimpleNamespace(counts=lambda: {"0": counts}, spoken=lambda: said)


def shown(results):
    console = Console(record=True, width=160, file=io.StringIO())
    console.print(table_of(results))
    return console.export_text()


def test_counts_by_speaker_are_of_what_was_predicted(config, speech):
    """Of a recognizer that always says the third emotion."""
    manifest = read_corpus("table", speech, emotions=config.corpus.emotions)

    class Third:
        def utterances(self, utterances, stop):
            return np.tile([0.1, 0.2, 0.4, 0.3], (len(list(utterances)), 1))

    features = SimpleNamespace(utterances=lambda scaling: [np.zeros((SIDE, 9))] * len(manifest))
    confusions = confusions_by_speaker(Third(), features, manifest, Scaling(-16.0, 4.0))
    assert [confusion.counts.tolist() for confusion in confusions] == [[[0, 0, 1, 0]] * 4] * len(manifest.speakers)


def test_modes_stand_side_by_side_with_interval_n_and_their_difference(config):
    federated = found({"a": [RIGHT, WRONG], "b": [RIGHT, RIGHT]})
    results = results_of(config, federated, real({"a": [RIGHT, RIGHT], "b": [RIGHT, RIGHT]}))
    assert list(results.modes) == ["real", "federated"]
    assert (results.modes["real"].macro_f1.mean, results.modes["real"].macro_f1.n) == (1.0, 32)
    score = results.modes["federated"].uar
    assert (score.mean, score.n) == (pytest.approx(0.75), 32)
    assert score.low <= score.mean <= score.high
    assert [one.difference for one in results.paired if one.metric == "uar"] == [pytest.approx(0.25)]
    assert list(results.counts["federated"]["0"]["a"]) == ["ann", "abe"]
    assert (results.folds[0].speakers, results.folds[0].utterances) == (["ann", "abe"], [4, 4, 4, 4])
    for said in ("1.000", "0.750", "32", "leave one session out; 2 fold(s)"):
        assert said in shown(results)


def test_a_matrix_without_a_name_goes_to_a_speaker_who_said_as_much(config):
    """A site sorts what it tells by the numbers, whoever spoke them."""
    results = results_of(
        config, found({"a": [WRONG, MORE], "b": [RIGHT, RIGHT]}), real({"a": [MORE, RIGHT], "b": [RIGHT] * 2})
    )
    assert results.counts["federated"]["0"]["a"] == {"abe": WRONG, "ann": MORE}
    numbered = results_of(config, found({"a": [WRONG, MORE], "b": [RIGHT, RIGHT]}))
    assert numbered.counts["federated"]["0"]["a"] == {"a#0": WRONG, "a#1": MORE}


def test_modes_are_compared_on_the_folds_that_all_of_them_have(config):
    results = results_of(
        config, found({"a": [RIGHT, WRONG], "b": []}), real({"a": [RIGHT, RIGHT], "b": [WRONG, WRONG]})
    )
    scores = {name: (row.macro_f1.mean, row.macro_f1.n) for name, row in results.modes.items()}
    assert scores == {"real": (1.0, 16), "federated": (pytest.approx(0.5), 16)}
    assert results.protocol == "leave one session out, 1 of 2 folds"


def test_a_fold_that_was_lost_before_it_could_be_scored_is_told_of_too(config):
    results = results_of(config, found({"a": [RIGHT, RIGHT]}), real({"a": [RIGHT, RIGHT], "b": [WRONG, WRONG]}))
    assert results.protocol == "leave one session out, 1 of 2 folds"


def test_counts_with_the_sites_noise_may_be_negative_are_scored_and_told_of(config):
    noised = [[3, -1, 0, 0], [0, 1, 0, 1], [-2, 0, 2, 0], [0, 0, 0, 2]]
    results = results_of(config, found({"a": [noised], "b": [RIGHT]}, noise={"a": 0.26, "b": 1.0}))
    assert results.counts["federated"]["0"]["a"] == {"a#0": noised}
    assert results.modes["federated"].accuracy.mean == 1.0  # of 8 and 6 in all, kept within 0 and 1
    assert results.protocol.endswith("; counts with the sites' noise, epsilon 0.26, 1")


def test_scores_of_the_sites_own_speakers_are_not_called_a_test(config):
    fold = FoldFound("everyone", ["a", "b"], ["a", "b"], {"a": [RIGHT], "b": [WRONG]}, {"a": None, "b": None})
    results = results_of(config, Found(1, "run", "demo", "0", ["x"], ["a", "b"], [fold], [], []))
    assert "so no test" in results.protocol
    assert "federated (no test: its own training speakers)" in shown(results)
    assert "no test" in Headline.of(results, {}).answer
    elsewhere = results_of(config, found({"a": [RIGHT], "b": [WRONG]}))
    assert "no test" not in shown(elsewhere) + Headline.of(elsewhere, {}).answer
    assert list(results.counts["federated"]["0"]["everyone"]) == ["everyone#0", "everyone#1"]


def test_a_mode_that_nobody_scored_has_no_score_and_the_reason_is_told(config):
    lost = {"client": "0", "session": "", "stage": "score", "reason": "no answer"}
    results = results_of(config, found({"a": [], "b": []}, failures=[lost]), real({"a": [RIGHT], "b": [RIGHT]}))
    assert results.modes["federated"].scores == {}
    assert results.modes["real"].macro_f1.n == 16
    assert list(failure_lines(results)) == ["failed: score client 0 (for federated): no answer"]
    assert "no answer" in shown(results)


def test_what_was_put_aside_stands_in_the_results_and_is_a_line_each(config):
    aside = [{"session": "x", "check": "samples", "reason": "its samples are constant"}]
    results = results_of(config, found({"a": [RIGHT], "b": [WRONG]}, quarantined=aside))
    assert results.quarantined == [Aside("x", 0, "its samples are constant")]
    assert list(aside_lines(results)) == ["x is put aside, seed 0: its samples are constant"]
    assert json.dumps(results.settings)
