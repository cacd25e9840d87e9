"""The table of skewed sites says what its runs say, and stands in the page as it is made."""

from pathlib import Path

import pytest

from common.scoring import Summary
from simulations.comparison.schema import Results, Row
from simulations.comparison.schema import Tested as Fold
from simulations.report.skew import placed, read_runs, skew_block

ROOT = Path(__file__).parents[3]


def run_of(skew, utterances, real, federated, normalisation="training"):
    def row(value):
        summary = Summary(value, value - 0.1, value + 0.1, None, None, folds=2, seeds=1, n=9)
        pooled = {"macro_f1": value + 0.01}
        return Row("", None, True, [0], macro_f1=summary, uar=summary, accuracy=summary, pooled=pooled)

    corpus = {"name": "emodb"} | ({"skew": skew} if skew else {})
    return Results(
        corpus="emodb",
        preset="best",
        identity="",
        labels=["sad", "happy"],
        seeds=[0],
        settings={"corpus": corpus, "vectors": {"normalisation": normalisation}},
        command=f"eyesoff compare --run {skew}",
        folds=[Fold("", [], counts) for counts in utterances],
        modes={"real": row(real), "federated": row(federated)},
        environment={"eyesoff": "0.1.0"},
    )


@pytest.fixture
def runs():
    whole, skewed = [[6, 6], [6, 6]], [[6, 0], [3, 6]]
    return [run_of(0.3, skewed, 0.5, 0.4), run_of(1.0, whole, 0.7, 0.6), run_of(None, whole, 0.8, 0.6)]


def test_rows_begin_with_the_whole_corpus_and_end_with_the_most_skewed(runs):
    rows = [line.split(" | ") for line in skew_block(runs).splitlines()[2:8]]
    assert [row[1] for row in rows] == ["none", "none", "1.0", "1.0", "0.3", "0.3"]
    assert [row[2:5] for row in rows[::2]] == [["24", "0", "real"], ["24", "0", "real"], ["15", "1", "real"]]


def test_what_is_normalised_by_session_stands_last(runs):
    rows = skew_block([run_of(None, [[6, 6]], 0.8, 0.6, "session"), *runs]).splitlines()[2:10]
    assert [row.split(" | ")[0] for row in rows] == ["| training part"] * 6 + ["| each session"] * 2


def test_a_mode_stands_beside_real_speech_under_the_same_skew(runs):
    rows = [line for line in skew_block(runs).splitlines() if "federated" in line]
    assert rows[0].endswith("| 0.600 | 0.500 to 0.700 | 0.600 | 0.610 | 75 % |")
    assert rows[2].endswith("| 0.400 | 0.300 to 0.500 | 0.400 | 0.410 | 80 % |")


def test_what_failed_is_told(runs):
    runs[0].modes["federated"] = Row("", None, False, [])
    assert "| training part | 0.3 | 15 | 1 | federated | failed |" in skew_block(runs)


def test_the_text_says_what_means_are_taken_over_and_how_it_was_made(runs):
    block = skew_block(runs)
    assert "means over the emotions that the truth holds" in block
    assert "`make skew`; the first run was `eyesoff compare --run None`" in block


def test_the_page_says_what_the_stored_runs_say():
    page, runs = (ROOT / "docs" / "results.md").read_text(), read_runs(ROOT / "results" / "skew")
    assert len(runs) > 1
    assert placed(page, skew_block(runs)) == page, "make skew, or python -m simulations.report.skew"
