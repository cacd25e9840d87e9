"""A month of a ledger: what falls into it and nothing else, summed up by kind, run, word and budget."""

import html
import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from client.history import Record
from client.ledger import Ledger
from client.site import Site
from client.spending import Spending
from common.audit.verdict import Verdict
from common.errors import UserError
from common.privacy.accountant import signal_for
from common.wire import Code
from simulations.cli import main
from simulations.steward.month import month_of, span_of
from simulations.steward.month_page import build, headline, lines

NOW = datetime(2026, 12, 24, tzinfo=UTC)
VERDICT = Verdict(word="refuse", reasons=("one <utterance> is given away",), auc=0.7, low=0.65, high=0.75, worst=0.001)
FACTS = {"kind": "release", "run": "spring", "session": "clinic"}


def at(day, month=11, **facts):
    return Record.model_validate({"time": datetime(2026, month, day, 12, tzinfo=UTC), **facts})


def words(page):
    shown = re.sub(r"<(style|svg).*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split())


@pytest.fixture
def site(tmp_path):
    return Site(session="clinic", root=tmp_path, state=tmp_path / "state")


@pytest.fixture
def told(site, release):
    card = json.dumps({"card": json.loads(release.card.model_copy(update={"audit": "approved"}).model_dump_json())})
    audit = json.dumps({"attempt": 3, **VERDICT.model_dump(mode="json")})
    ledger = Ledger(site.ledger)
    for record in (
        at(31, 10, outcome="admitted", kind="tune", run="winter", work="a" * 64),
        at(1, outcome="admitted", kind="tune", run="spring", work="b" * 64, signal=signal_for(2.0, 1e-5)),
        at(2, outcome="audited", words=audit, work="b" * 64, sha256="cd" * 32, **FACTS),
        at(3, outcome="approved", **FACTS),
        at(4, outcome="sent", bytes=1_200_000, sha256="ab" * 32, words=card, **FACTS),
        at(5, outcome="sent", kind="description", run="spring", bytes=800),
        *(at(5, outcome="sent", kind="scored", run="spring", bytes=100) for _ in range(2)),
        *(at(6, outcome="refused", kind="tune", run="summer", code=Code.RECIPE_FORBIDDEN) for _ in range(2)),
        at(7, outcome="refused", kind="score", run="summer", code=Code.FOLD_SCORED),
        at(8, outcome="turned-away", times=7),
        at(1, 12, outcome="admitted", kind="tune", run="next", work="e" * 64),
        at(2, 12, outcome="sent", bytes=500, sha256="ef" * 32, **FACTS),
    ):
        ledger.append(record)
    return month_of(site, "2026-11", NOW)


def test_what_left_in_the_month_is_told_with_its_run_and_who_let_it_go(told):
    left = told.left[0]
    assert [one.kind for one in told.left] == ["release", "scored", "scored"]
    assert (left.run, left.bytes, left.sha256, left.by) == ("spring", 1_200_000, "ab" * 32, "you")
    assert (told.kinds, told.bytes, told.entries) == ({"release": 1, "description": 1, "scored": 2}, 1_201_000, 11)


def test_audits_answers_and_refusals_are_those_of_the_month(told):
    ((audit, answer), refused) = (told.audits + told.answers, told.refused)
    assert (audit.attempt, audit.verdict) == (3, VERDICT)
    assert answer[1:] == ("approved", "spring")
    assert refused == {"recipe-forbidden": 2, "fold-scored": 1}
    assert told.turned_away == 7


def test_budgets_are_those_at_the_months_end_and_count_what_the_ledger_lost(told, site):
    budgets = {one.rule: one for one in told.budgets}
    assert (budgets["releases_in_all"].used, budgets["releases_in_all"].left) == (2, 18)
    assert budgets["epsilon_in_all"].used == pytest.approx(2.0)
    Spending(site.ledger).add({"b" * 64: signal_for(2.0, 1e-5), "of a lost ledger": signal_for(4.0, 1e-5)})
    known = {one.rule: one.used for one in month_of(site, "2026-11", NOW).budgets}
    assert known["epsilon_in_all"] == pytest.approx(4.5, abs=0.5)
    assert month_of(site, "2026-12", NOW).budgets[0].used == 3


def test_what_a_lost_ledger_spent_counts_though_its_release_was_given_again(told, site):
    Spending(site.ledger).add({"of a lost ledger": signal_for(4.0, 1e-5)})
    Ledger(site.ledger).append(at(20, outcome="sent", work="of a lost ledger", **FACTS))
    known = {one.rule: one.used for one in month_of(site, "2026-11", NOW).budgets}
    assert known["epsilon_in_all"] == pytest.approx(4.5, abs=0.5)


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ({"description": 3}, "nothing"),
        ({"scored": 2}, "2 scorings"),
        ({"masked": 2, "release": 1}, "1 release and 2 masked sums"),
        ({"scored": 1, "masked": 1, "release": 2}, "2 releases, 1 masked sum and 1 scoring"),
    ],
)
def test_each_kind_that_is_made_from_the_speech_is_counted_by_itself(told, kinds, said):
    assert headline(replace(told, kinds=kinds)) == f"{said} made from your speech left."


def test_an_empty_month_says_that_nothing_left(site, told):
    empty = month_of(site, "2026-09", NOW)
    assert empty.left == empty.audits == ()
    assert "nothing made from your speech left" in next(lines(empty))
    for line in ("No release, no masked sum and no scoring.", "No audit came to its end.", "You approved nothing"):
        assert line in words(build(empty))
        assert line not in words(build(told))


def test_a_broken_chain_is_told_on_the_page_and_in_the_lines(site, told):
    assert "the chain of hashes is whole" in words(build(told))
    site.ledger.write_bytes(site.ledger.read_bytes().replace(b"recipe-forbidden", b"malformed", 1))
    broken = month_of(site, "2026-11", NOW)
    assert words(build(broken)).count("was changed, or else this one") == 2  # on top, and where the ledger is told of
    assert "was changed, or else this one" in list(lines(broken))[-1]


def test_the_page_tells_all_of_it_and_needs_nothing_else(told):
    page = build(told)
    shown = words(page)
    for line in (
        "1 release and 2 scorings made from your speech left.",
        "to run size",
        "ab" * 32,
        "one <utterance> is given away",
        "0.700 0.650 to 0.750",
        "recipe-forbidden 2 the site has not accepted this recipe",
        "without a line each: 7 requests.",
        "11 of its entries are of this month",
    ):
        assert line in shown
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!#|data:)', page) == []


@pytest.mark.parametrize("name", ["2026-13", "november", "2026-11-03", "26-11", "9999-12"])
def test_what_is_no_month_is_refused(name):
    with pytest.raises(UserError, match="not a month"):
        span_of(name)


def test_the_command_writes_lines_json_and_a_page(capsys, told, site, tmp_path):
    file, page = tmp_path / "site.toml", tmp_path / "november.html"
    file.write_text('session = "clinic"\nroot = "."\n')

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main(["ledger", *map(str, arguments)])
        return left.value.code, *capsys.readouterr()

    status, shown, _ = run("month", "2026-11", "--site", file, "--page", page)
    assert status == 0
    assert "release to run spring, 1.20 MB, let go by you" in shown
    assert "releases: 2 of 20 in all, 18 left" in shown
    assert page.read_text() == build(told)
    plain = json.loads(run("month", "2026-11", "--site", file, "--json")[1])
    assert (plain["refused"], plain["audits"][0]["verdict"]["auc"]) == ({"recipe-forbidden": 2, "fold-scored": 1}, 0.7)
    status, _, why = run("month", "soon", "--site", file)
    assert (status, why.count("\n"), "not a month" in why) == (2, 1, True)
    rows = run("show", site.ledger, "--since", "2026-11-05", "--until", "2026-11-06", "--csv")[1].splitlines()
    assert rows[0].startswith("number,time,outcome,kind,run")
    assert [row.split(",")[2] for row in rows[1:]] == ["sent"] * 3 + ["refused"] * 2
