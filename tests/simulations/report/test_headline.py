"""The answer, and what must be said where there is none."""

import pytest

from simulations.comparison.schema import read_results
from simulations.report.headline import Headline
from simulations.report.shares import shares_of_real


@pytest.fixture
def answer(run_of):
    """A function from stored results to their headline."""

    def told(results):
        read = read_results(run_of(results))
        return Headline.of(read, shares_of_real(read))

    return told


def test_the_share_is_that_of_the_stored_counts(results, run_of):
    shares = shares_of_real(read_results(run_of(results)))
    assert set(shares) == {"federated", "floor"}
    assert shares["federated"].value == pytest.approx((0.7619 + 0.7368) / (0.8571 + 0.8421), abs=1e-3)


@pytest.mark.parametrize("mode", ["real", "federated"])
def test_without_a_score_of_real_or_synthetic_speech_there_is_no_answer(results, answer, mode):
    results["modes"][mode] |= {"macro_f1": None, "whole_seeds": []}
    results["modes"].pop("centralized", None)
    found = answer(results).answer
    assert found == f"No score of {mode}, so this run cannot say what synthetic speech is worth."


def test_centralized_answers_where_nothing_is_federated(results, answer):
    for part in ("modes", "counts"):
        results[part]["centralized"] = results[part].pop("federated")
    assert answer(results).answer.startswith("Trained on centralized synthetic speech")


def test_a_gap_that_is_not_sure_is_told(results, answer):
    results["gap_closed"]["federated"] = None
    assert any("that there is a gap is not sure" in sentence for sentence in answer(results).support)


def test_one_seed_and_failures_are_warned_of(results, answer):
    results["seeds"] = [0]
    warnings = " ".join(answer(results).warnings)
    assert "One seed" in warnings
    assert "1 unit failed" in warnings


def test_few_speakers_are_warned_of_and_many_are_not(results, answer):
    results["folds"][0]["speakers"] = [f"s{number}" for number in range(8)]
    assert "an interval over so few" not in " ".join(answer(results).warnings)
    for number, fold in enumerate(results["folds"]):
        fold["speakers"] = [f"s{number % 2}"]
    assert "2 speakers: an interval over so few is too short." in " ".join(answer(results).warnings)


def test_a_mode_that_nothing_stands_beside_is_told_with_its_score(results, answer):
    results["modes"] = {"federated": results["modes"]["federated"]}
    found = answer(results)
    assert found.answer.endswith("a recognizer reaches macro F1 0.752 (0.706 to 0.784), n = 80 utterances.")
    assert found.support == ()
    results["modes"]["federated"]["macro_f1"] = None
    assert answer(results).answer.startswith("Nothing was tested")


def test_rows_of_ones_own_without_real_speech_are_not_called_untested(results, answer):
    results["modes"] = {"half": results["modes"]["federated"]}
    assert answer(results).answer.startswith("Real speech was not tested, so this run cannot say")


def test_the_configured_synthesizer_answers_where_the_papers_modes_are_not_there(results, answer):
    for part in ("modes", "counts"):
        results[part].pop("centralized", None)
        results[part]["other, federated"] = results[part]["gaussian, federated"] = results[part].pop("federated")
    results["settings"]["methods"] = {"synthesizer": "gaussian"}
    found = answer(results)
    assert found.answer.startswith("Trained on synthetic speech alone (gaussian, federated), a recognizer reaches")
    assert not any("The paper's ratio" in sentence for sentence in found.support)


@pytest.mark.parametrize(("synthesizer", "told"), [("eskimez", True), ("gaussian", False)])
def test_the_papers_ratio_stands_beside_its_own_synthesizer_alone(results, answer, synthesizer, told):
    results["settings"]["methods"] = {"synthesizer": synthesizer}
    assert any("The paper's ratio" in sentence for sentence in answer(results).support) is told
