"""Which comparisons stand first, whatever they say."""

from simulations.comparison.schema import read_results
from simulations.report.mattering import MOST, mattering, mattering_table


def pair(first, second, difference, *, different=True):
    interval = {"difference": difference, "low": difference - 0.02, "high": difference + 0.02, "p_value": 0.01}
    return {"first": first, "second": second, "metric": "macro_f1", "pairs": 6, "different": different} | interval


def told(results, run_of, *pairs):
    return read_results(run_of(results | {"paired": list(pairs)}))


def test_real_speech_comes_first_and_the_floor_last_and_each_reads_from_the_answer(results, run_of):
    pairs = pair("floor", "federated", -0.2), pair("floor", "real", -0.3), pair("federated", "real", -0.1)
    found = mattering(told(results, run_of, *pairs))
    assert [(one.first, one.second, round(one.difference, 3), round(one.low, 3)) for one in found] == [
        ("real", "federated", 0.1, 0.08),
        ("federated", "floor", 0.2, 0.18),
    ]


def test_other_metrics_and_pairs_without_the_answer_stand_aside(results, run_of):
    run = told(results, run_of, pair("real", "floor", 0.3), pair("real", "federated", 0.1) | {"metric": "uar"})
    assert mattering(run) == []
    assert mattering_table(run).rows == ()


def test_a_difference_that_is_not_sure_is_not_read_as_one(results, run_of):
    run = told(results, run_of, pair("real", "federated", 0.1, different=False), pair("federated", "floor", -0.1))
    unsure, worse = (row[-1].value for row in mattering_table(run).rows)
    assert unsure.startswith("No difference is sure")
    assert worse.startswith("floor is better than federated")


def test_too_few_pairs_are_told_from_a_difference_that_is_small(results, run_of):
    run = told(results, run_of, pair("real", "federated", 0.6, different=False) | {"pairs": 5})
    ((*_, reading),) = mattering_table(run).rows
    assert reading.value.startswith("Not sure: 5 pairs are too few")


def test_there_are_three_at_the_most_and_none_is_chosen_by_its_score(results, run_of):
    names = ("centralized", "baseline", "real+synthetic")
    modes = results["modes"] | dict.fromkeys(names, results["modes"]["floor"])
    counts = results["counts"] | dict.fromkeys(names, results["counts"]["floor"])
    others = [pair("federated", name, 0.1) for name in ("real+synthetic", "baseline", "floor", "centralized")]
    run = told(results | {"modes": modes, "counts": counts}, run_of, pair("real", "federated", 0.1), *others)
    assert [(one.first, one.second) for one in mattering(run)] == [
        ("real", "federated"),
        ("federated", "centralized"),
        ("federated", "baseline"),
    ]
    assert MOST == 3
