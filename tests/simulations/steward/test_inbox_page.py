"""The inbox as a page: what waits comes first, in words, with its audit; complete in itself."""

import html
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from client.inbox import RECALL, Waiting
from client.policy import Policy
from client.recipes import recipe_of
from common.audit.verdict import Limits, Verdict, unable
from common.config import load_config
from simulations.report.palette import LIGHT
from simulations.steward.inbox_page import build
from simulations.steward.told_apart import told_apart

MEASURED = {"auc": 0.62, "low": 0.571, "high": 0.664, "worst": 0.2, "epsilon": 0.4, "noticed": 0.005}
REFUSED = Verdict(word="refuse", reasons=("one utterance is <b>given</b> away",), **MEASURED)
SITE = Path("a site/site.toml")


@pytest.fixture
def waiting(tune):
    tuning = tune.tuning.model_copy(update={"settings": recipe_of(load_config("demo")).settings})

    def make(name="aaaa", **changed):
        known = {"verdict": REFUSED, "answer": None, "changed": False, "held": True, "size": 1_178_000}
        return Waiting(**({"name": name, "tuning": tuning, "release": "ab" * 32} | known | changed))

    return make


def words_of(page):
    """What a person reads, in one line."""
    shown = re.sub(r"<(style|svg).*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def built(*found, rule="approve"):
    return build(found, Policy(release=rule), "clinic", SITE)


def test_what_waits_comes_first_and_is_counted(waiting, blank_figures):
    words = words_of(built(waiting("aaaa", held=False, answer="approved"), waiting("bbbb"), waiting("cccc")))
    assert "2 releases wait for your answer." in words
    assert words.index("bbbb: waits") < words.index("cccc: waits") < words.index("aaaa: approved by you")
    assert "1 release waits for your answer." in words_of(built(waiting()))
    assert "Nothing waits for your answer." in words_of(built())


def test_a_release_is_told_in_words_with_its_measures_and_intervals(waiting, blank_figures):
    words = words_of(built(waiting()))
    for told in (
        "1.18 MB, in fp16",
        "The audit says refuse. It gives away who was in the data.",
        "one utterance is <b>given</b> away",
        "0.620 (0.571 to 0.664)",
        "p = 0.2",
        "0.40: no promise",
        "copies in 0.5 % of samples",
        "differential privacy none is promised",
    ):
        assert told in words


def test_where_no_audit_is_asked_for_none_is_promised(waiting, blank_figures):
    words = words_of(built(waiting(verdict=None, held=False), rule="always"))
    assert "may leave without an audit" in words
    assert "your policy asks for no audit" in words
    assert "as soon as it can" not in words


def test_it_says_what_is_unusual_and_nothing_of_it_where_nothing_is(waiting, blank_figures):
    strict = Policy(release="approve", bounds={"steps": (100_000, 200_000)})
    assert "Unusual: steps is" in words_of(build([waiting()], strict, "clinic", SITE))
    assert "Unusual" not in words_of(built(waiting()))


@pytest.mark.parametrize(
    ("changed", "rule", "wanted"),
    [
        ({}, "approve", ["approve", "refuse"]),
        ({"held": False, "answer": "approved"}, "approve", ["refuse"]),
        ({"held": False, "answer": "kept-back"}, "audited", ["approve", "refuse"]),
        ({"verdict": None}, "approve", ["refuse"]),
        ({"changed": True}, "approve", ["refuse"]),
        ({"changed": True, "held": False, "answer": "kept-back"}, "audited", ["refuse"]),
        ({"held": False}, "always", []),
    ],
)
def test_the_commands_are_those_that_would_work(waiting, blank_figures, changed, rule, wanted):
    page = words_of(built(waiting(**changed), rule=rule))
    assert re.findall(r"eyesoff keeper (\w+) aaaa --site 'a site/site.toml'", page) == wanted


def test_no_option_of_a_command_is_parted_on_a_phone(waiting, blank_figures):
    assert "<span>--site</span> <span>" in built(waiting())


def test_what_is_not_audited_says_so_and_has_no_picture(waiting):
    for changed, told in ((False, "It has not been audited yet"), (True, "It has changed since it was audited")):
        page = built(waiting(verdict=None, changed=changed))
        assert told in words_of(page)
        assert "<svg" not in page
    page = built(waiting(verdict=unable("it took longer than 3 minutes")))
    assert "it took longer than 3 minutes" in words_of(page)
    assert "<svg" not in page


@pytest.mark.parametrize(
    ("rule", "then"),
    [("approve", "Then it waits for your answer."), ("audited", "Anything else waits for your answer.")],
)
def test_what_waits_for_its_audit_is_not_said_to_leave_when_approved(waiting, rule, then):
    words = words_of(built(waiting(verdict=None, held=False), rule=rule))
    assert "Nothing waits for your answer. " in words
    assert "It stays here until it is audited. " in words and then in words
    assert "If you approve" not in words and "Its audit says" not in words


def test_the_picture_has_one_form_that_can_be_read_on_a_desk_too():
    assert told_apart("aaaa", REFUSED, Limits()).narrow == ""


@pytest.mark.parametrize("rule", ["approve", "always"])
def test_a_damaged_release_is_called_so_and_nothing_is_promised_of_it(waiting, rule):
    page = built(waiting(release="", verdict=None, held=False, damaged=True), rule=rule)
    words = words_of(page)
    assert "aaaa: damaged on disk, and made anew when it is asked for again" in words
    assert "It is damaged on disk, so nothing can be told of it." in words
    assert "audited yet" not in words and "without an audit" not in words and "names these weights" not in words
    assert "eyesoff keeper" not in page


def test_a_damaged_release_that_left_cannot_be_called_back(waiting):
    left = datetime(2026, 11, 30, 9, 5, tzinfo=UTC)
    words = words_of(built(waiting(release="", verdict=None, held=False, damaged=True, left=left)))
    assert f"It left first at 2026-11-30 09:05 UTC; {RECALL}." in words


def test_of_swapped_weights_the_page_promises_no_approval(waiting, blank_figures):
    words = words_of(built(waiting(changed=True, verdict=unable("these are not the weights that were audited before"))))
    assert "It cannot be approved." in words
    assert "If you approve" not in words


def test_the_page_needs_nothing_else_and_runs_nothing(waiting):
    page = built(waiting("aaaa"), waiting("bbbb"))
    assert page == built(waiting("aaaa"), waiting("bbbb"))
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!#|data:)', page) == []
    assert "prefers-color-scheme: dark" in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids)) > 2


def test_the_picture_says_score_interval_chance_and_limit_to_those_who_cannot_see_it():
    drawn = told_apart("aaaa", REFUSED, Limits(auc=0.7))
    assert drawn.alt == (
        "The attack finds the used recording in 0.620 (0.571 to 0.664) of pairs; chance is 0.5, your limit 0.70."
    )
    assert "your limit" in drawn.svg
    assert not any(colour in drawn.svg for colour in LIGHT.values())
    assert told_apart("aaaa", unable("too few"), Limits()) is None
