"""What a site has left to give is judged by all that it gave, and what was begun before costs nothing again."""

from datetime import UTC, datetime, timedelta

import pytest

from client.budgets import bytes_left, scorings_left, tunings_left
from client.history import Entry, History
from client.policy import MEBIBYTE, Policy
from client.rules import Holdings, work_of
from common.spaces import Vectors
from common.wire import Code, Extremes, Refused

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def policy():
    return Policy(tunings_a_day=2, releases_in_all=3, scorings_a_day=2, scorings_in_all=3, mebibytes_a_day=1)


@pytest.fixture
def history_of(release):
    """A history of pieces of work, each of a kind and so many days old, after which the time is told."""

    def make(*begun, released=("run-1",), sent=0):
        history = History()
        facts = [{"outcome": "admitted", "kind": kind, "work": work, "days": days} for kind, work, days in begun]
        facts += [
            {"outcome": "sent", "kind": "release", "run": run, "words": release.words(), "days": 0} for run in released
        ]
        facts += [{"outcome": "sent", "kind": "working", "bytes": sent, "days": 0}]
        for number, fact in enumerate(facts):
            time = NOW - timedelta(days=fact.pop("days"))
            history.add(Entry(number=number, previous="0" * 64, time=time, **fact))
        history.move_to(NOW)
        return history

    return make


def code_of(judge, history):
    """The word of a judgement, or None where there is room."""
    try:
        judge(history)
    except Refused as refusal:
        return refusal.code
    return None


class TestTunings:
    """Releases of a day and of a life."""

    @pytest.mark.parametrize(
        ("begun", "code"),
        [
            ([], None),
            ([("one", 0)], None),
            ([("one", 0), ("two", 0)], Code.TUNINGS_SPENT),
            ([("one", 0), ("one", 0)], None),
            ([("one", 1), ("two", 1)], None),
            ([("one", 100), ("two", 50), ("three", 1)], Code.RELEASES_SPENT),
            ([("one", 100), ("two", 0), ("three", 0)], Code.RELEASES_SPENT),
        ],
        ids=["nothing", "one", "a day's", "the same twice", "yesterday's", "a life's", "both"],
    )
    def test_there_is_room_for_so_many(self, history_of, policy, begun, code):
        history = history_of(*(("tune", work, days) for work, days in begun))
        assert code_of(tunings_left("new", policy), history) is code

    def test_what_was_begun_before_is_free_when_all_is_spent(self, history_of, policy):
        history = history_of(*(("tune", work, 0) for work in ("one", "two", "three")))
        assert code_of(tunings_left("three", policy), history) is None
        assert code_of(tunings_left("thre", policy), history) is Code.RELEASES_SPENT

    def test_scorings_are_counted_apart(self, history_of, policy):
        history = history_of(*(("score", f"run-1/{name}/x", 0) for name in "abcde"))
        assert code_of(tunings_left("new", policy), history) is None

    def test_a_policy_may_grant_none(self, history_of):
        history = history_of()
        assert code_of(tunings_left("new", Policy(releases_in_all=0)), history) is Code.RELEASES_SPENT
        assert code_of(tunings_left("new", Policy(tunings_a_day=0)), history) is Code.TUNINGS_SPENT


class TestScorings:
    """Recognizers: of a run in which the site took part, on its terms, one for a fold."""

    @pytest.fixture
    def work(self, score):
        tuning = score.scoring
        holdings = Holdings(tuning.session, tuning.labels, tuning.features, (6,) * 4, (2,) * 4, speech="first")
        return work_of(score, holdings)

    def test_one_for_a_run_that_was_given_a_release_is_granted(self, history_of, policy, score, work):
        assert code_of(scorings_left(score, work, policy), history_of()) is None

    @pytest.mark.parametrize("released", [(), ("run-2",)], ids=["no run", "another run"])
    def test_one_for_any_other_run_is_not(self, history_of, policy, score, work, released):
        assert code_of(scorings_left(score, work, policy), history_of(released=released)) is Code.NOT_IN_THAT_RUN

    @pytest.mark.parametrize("name", ["settings", "labels", "space", "features", "scaling"])
    def test_its_terms_are_those_of_the_release(self, history_of, policy, score, work, name):
        terms = score.scoring
        other = {
            "settings": terms.settings | {"network": terms.settings["network"] | {"leak": 0.21}},
            "labels": terms.labels[::-1],
            "space": Vectors(set="openSMILE", size=88),
            "features": "ba9876543210",
            "scaling": Extremes(low=terms.scaling.low, high=terms.scaling.high + 0.01),
        }
        asked = score.model_copy(update={"scoring": terms.model_copy(update={name: other[name]})})
        assert code_of(scorings_left(asked, work, policy), history_of()) is Code.OTHER_TERMS

    def test_a_fold_has_one_recognizer_and_the_same_one_is_free(self, history_of, policy, score, work):
        fold, digest = work.rsplit("/", 1)
        assert fold == "run-1/03+08"
        another = f"{fold}/{digest[::-1]}"
        assert code_of(scorings_left(score, another, policy), history_of(("score", work, 400))) is Code.FOLD_SCORED
        assert code_of(scorings_left(score, work, policy), history_of(("score", work, 400))) is None

    def test_a_fold_whose_name_begins_alike_is_another_fold(self, history_of, policy, score, work):
        history = history_of(("score", "run-1/03+081/x", 0), ("score", "run-11/03+08/x", 400))
        assert code_of(scorings_left(score, work, policy), history) is None

    @pytest.mark.parametrize(
        ("ages", "code"),
        [((0, 0), Code.SCORINGS_SPENT), ((1, 1), None), ((1, 50, 100), Code.ALL_SCORINGS_SPENT)],
        ids=["a day's", "yesterday's", "a life's"],
    )
    def test_there_is_room_for_so_many(self, history_of, policy, score, work, ages, code):
        history = history_of(*(("score", f"run-1/{number}/x", days) for number, days in enumerate(ages)))
        assert code_of(scorings_left(score, work, policy), history) is code

    def test_what_was_begun_is_free_when_all_is_spent(self, history_of, policy, score, work):
        history = history_of(*(("score", name, 0) for name in (work, "run-1/a/x", "run-1/b/x")))
        assert code_of(scorings_left(score, work, policy), history) is None


@pytest.mark.parametrize(("sent", "code"), [(0, None), (1, Code.BYTES_SPENT)])
def test_the_days_bytes_are_granted_to_the_last(history_of, policy, sent, code):
    assert code_of(bytes_left(MEBIBYTE, policy), history_of(sent=sent)) is code
    assert code_of(bytes_left(MEBIBYTE - sent, policy), history_of(sent=sent)) is None
