"""The answer, and what must be said where there is none."""

import pytest

from simulations.report.headline import Headline
from simulations.report.shares import shares_of_real


def answer(results):
    return Headline.of(results, shares_of_real(results))


def test_the_share_is_that_of_the_stored_counts(results):
    shares = shares_of_real(results)
    assert set(shares) == {"federated", "floor"}
    assert shares["federated"].value == pytest.approx((0.7619 + 0.7368) / (0.8571 + 0.8421), abs=1e-3)


@pytest.mark.parametrize("mode", ["real", "federated"])
def test_without_a_score_of_real_or_synthetic_speech_there_is_no_answer(results, mode):
    results["modes"][mode] |= {"macro_f1": None, "whole_seeds": []}
    results["modes"].pop("centralized", None)
    found = answer(results).answer
    assert found == f"No score of {mode}, so this run cannot say what synthetic speech is worth."


def test_centralized_answers_where_nothing_is_federated(results):
    for part in ("modes", "counts"):
        results[part]["centralized"] = results[part].pop("federated")
    assert answer(results).answer.startswith("Trained on centralized synthetic speech")


def test_a_gap_that_is_not_sure_is_told(results):
    results["gap_closed"]["federated"] = None
    assert any("that there is a gap is not sure" in sentence for sentence in answer(results).support)


def test_one_seed_and_failures_are_warned_of(results):
    results["seeds"] = [0]
    warnings = " ".join(answer(results).warnings)
    assert "One seed" in warnings
    assert "1 unit failed" in warnings
