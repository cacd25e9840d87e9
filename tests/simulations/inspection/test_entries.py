"""An entry reads whole, for a program and for a person."""

import json
from datetime import UTC, datetime

import pytest

from client.history import Entry
from common.wire import Card, Code, Release
from simulations.inspection.entries import FIELDS, fields, lines, run_in

NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)
LONGEST = "r" * 40


def entry(**facts):
    given = {"time": NOON, "number": 1234, "previous": "0" * 64, "outcome": "sent", "kind": "release"}
    return Entry(**given | facts)


def told(one):
    return dict(zip(FIELDS, fields(one), strict=True))


@pytest.fixture
def admitted(tune):
    return entry(outcome="admitted", kind="tune", run=LONGEST, session="03+08", words=tune.words())


@pytest.fixture
def released(tune):
    card = Card(tuning=tune.tuning, known=(True,) * 4, utterances=None, seconds=7)
    release = Release(card=card, released={})
    facts = {"bytes": 1_182_344, "sha256": "ab" * 32, "tensors": {"a": "F16[2]", "b": "F16[3]"}}
    return entry(run=LONGEST, session="03+08", words=release.words(), **facts)


@pytest.mark.parametrize("which", ["admitted", "released"])
def test_recipe_base_steps_and_batch_of_a_tuning_are_told_where_it_is_admitted_and_where_it_is_sent(
    which, tune, request
):
    one = request.getfixturevalue(which)
    tuning, ran = tune.tuning, told(one)
    assert (ran["recipe"], ran["base"]) == (tuning.recipe.digest, tuning.base)
    assert (ran["steps"], ran["batch"]) == ("10", "4")
    shown = "\n".join(lines(one))
    assert f"recipe {tuning.recipe.digest}" in shown
    assert f"base   {tuning.base}" in shown
    assert f"{tuning.synthesizer}: 10 steps of 4 utterances" in shown


@pytest.mark.parametrize("which", ["admitted", "released"])
def test_a_person_reads_all_of_it_in_eighty_columns(which, request):
    one = request.getfixturevalue(which)
    shown = "\n".join(lines(one))
    assert max(map(len, shown.splitlines())) <= 80
    for word in ("2030-01-31 12:00:00", one.kind, LONGEST, one.sha256, "03+08"):
        assert word in shown


def test_a_preset_is_called_by_its_name(admitted, tune, monkeypatch):
    monkeypatch.setattr("simulations.inspection.entries.preset_recipes", lambda: {tune.tuning.recipe.digest: "small"})
    assert "(of the preset small)" in "\n".join(lines(admitted))


def test_of_a_tuning_of_another_version_nothing_is_told_beyond_its_line(tune):
    words = json.dumps({"tuning": {"finetuning": {"iterations": 300, "batch": 16}, "seed": 3}})
    ran = told(entry(kind="tune", words=words))
    assert (ran["kind"], ran["recipe"], ran["base"], ran["steps"], ran["batch"]) == ("tune", "", "", "", "")


@pytest.mark.parametrize("words", ["", "{", "[]", "7", '{"tuning": 7}', '{"tuning": {"finetuning": {"batch": []}}}'])
@pytest.mark.parametrize("kind", ["tune", "release", "scored"])
def test_words_that_tell_of_no_tuning_tell_of_none(words, kind):
    assert run_in(entry(kind=kind, words=words)) is None


def test_numbers_for_a_sum_tell_the_recipe_of_it(tune):
    words = json.dumps({"summing": {"tuning": tune.tuning.model_dump(mode="json")}})
    assert run_in(entry(kind="masked", words=words)).recipe == tune.tuning.recipe.digest
    assert run_in(entry(kind="masked", words=json.dumps({"summing": 7}))) is None


def test_a_flood_and_a_ledger_that_was_accepted_are_told():
    assert "40 requests" in next(lines(entry(outcome="turned-away", kind="", times=40)))
    assert told(entry(outcome="turned-away", kind="", times=40))["requests"] == "40"
    assert "it had 3 entries" in "\n".join(lines(entry(outcome="accepted", kind="", words="it had 3 entries")))
    assert "not-finite" in next(lines(entry(outcome="refused", code=Code.NOT_FINITE)))


def test_nothing_that_a_terminal_would_obey_reaches_it():
    evil = entry(run="a\x1b[2Jb\tc\nd", sha256="\x1b]0;x\x07", kind="\r")
    for text in (*lines(evil), *fields(evil)):
        assert text.isprintable()
