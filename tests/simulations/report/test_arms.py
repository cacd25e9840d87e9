"""Arms in the report: a table whichever way it is narrower, bars of rare emotions, lines of amounts."""

from dataclasses import replace

import pytest

from common.protocols import Point
from common.scoring import Summary
from simulations.comparison.arms import counted
from simulations.comparison.schema import Arm, ArmRow, Difference, read_results
from simulations.comparison.table import table_of
from simulations.report.arms import arms_figure, arms_table
from simulations.report.headline import Headline
from simulations.report.readme import results_block
from simulations.report.shares import shares_of_real
from simulations.report.tables import folds_table, pairs_table, results_table
from simulations.report.wording import AS_SEEDS


def row(mean, *, recall=None, against=None):
    summary = Summary(mean, mean - 0.1, mean + 0.1, None, None, 3, 1, 30)
    return ArmRow(summary, summary, recall, [mean - 0.02, mean + 0.02], against)


@pytest.fixture
def found(results, run_of):
    read = read_results(run_of(results))
    return replace(read, modes={name: read.modes[name] for name in ("real", "federated")})


@pytest.fixture
def halted(found):
    """Of a third training nothing came."""
    return replace(found, modes={name: replace(mode, complete=False) for name, mode in found.modes.items()})


SURE = Difference(0.2, 0.1, 0.3, 0.01, 9, different=True, holm=0.03)
RARE = [
    Arm(emotion, emotion, {"real": row(0.5, recall=0.3), "federated": row(0.7, recall=0.6, against=SURE)})
    for emotion in ("angry", "sad")
]
CURVE = [
    Arm(f"q = {q}", "", {"real": row(0.5), "federated": row(0.5 + q / 10)}, Point("sets of samples", q))
    for q in range(4)
]


def test_rare_emotions_stand_in_columns_with_recall_difference_and_what_is_sure(found):
    table = arms_table(replace(found, arms=RARE))
    assert [cell.value for cell in table.headings] == ["trained on", "angry", "sad"]
    assert "recall 60 %" in table.rows[1][1].note
    assert "+0.200, Holm = 0.030, sure" in table.rows[1][1].note
    assert "Holm" not in table.rows[0][1].note
    assert "recall of the emotion that is rare" in table.caption


def test_many_amounts_stand_in_rows(found):
    table = arms_table(replace(found, arms=CURVE))
    assert [cell.value for cell in table.headings] == ["arm", "real", "federated"]
    assert [cells[0].value for cells in table.rows] == ["q = 0", "q = 1", "q = 2", "q = 3"]


def test_the_table_says_of_an_arm_without_samples_that_nothing_is_compared(found):
    compared = [replace(arm, modes={"real": row(0.5), "federated": row(0.6, against=SURE)}) for arm in CURVE]
    without = "An arm without samples has none"
    assert without in arms_table(replace(found, arms=[CURVE[0], *compared[1:]])).caption
    assert without not in arms_table(replace(found, arms=compared)).caption
    failed = replace(CURVE[0], modes={"real": None, "federated": row(0.6)})
    assert without not in arms_table(replace(found, arms=[failed, *compared[1:]])).caption


def test_bars_tell_rare_emotions_and_lines_tell_amounts(found):
    bars, lines = (arms_figure(replace(found, arms=arms)) for arms in (RARE, CURVE))
    assert bars.name == "imbalance"
    assert "angry, federated: UAR 0.700, recall 0.600" in bars.alt
    assert lines.name == "against"
    assert "UAR against sets of samples" in lines.alt
    assert "from 0.500 to 0.800" in lines.alt


def test_without_arms_there_is_neither(found):
    """A control."""
    assert arms_figure(found) is None
    assert arms_table(found).rows == ()


def test_an_arm_that_failed_is_told_and_not_drawn(found):
    broken = [replace(RARE[0], modes={"real": None, "federated": row(0.7, recall=0.6)}), RARE[1]]
    table = arms_table(replace(found, arms=broken))
    assert table.rows[0][1].value == "failed"
    assert "angry, real" not in arms_figure(replace(found, arms=broken)).alt


def test_the_names_of_columns_stand_above_their_numbers(found):
    """Numbers are set flush right, and whatever is wide flush left."""
    for arms in (RARE, CURVE):
        table = arms_table(replace(found, arms=arms))
        assert not any(cell.wide for cell in table.headings)
        assert all(cells[0].wide for cells in table.rows)


@pytest.mark.parametrize(
    ("numbers", "own", "told"),
    [
        ([0, 1], 0, "2 seeds"),
        ([1, 2, 3], 0, "1 seed, 3 draws"),
        ([1], 0, "1 seed, 1 draw"),
        ([7], 7, "1 seed"),
        ([1, 2, 10001, 10002], 0, "2 seeds, 4 draws in all"),
    ],
)
def test_draws_are_not_called_seeds(found, numbers, own, told):
    drawn = replace(found, arms=CURVE, seeds=numbers, settings={"seed": own})
    assert counted(drawn, numbers) == told
    assert counted(replace(drawn, arms=[]), numbers).endswith(("seed", "seeds"))


@pytest.mark.parametrize(("own", "called"), [(0, "draws"), (1, "seeds")])
def test_deviations_over_draws_are_not_called_those_over_seeds(halted, own, called):
    told = replace(halted, arms=CURVE, seeds=[1, 2, 3], settings={"seed": own})
    screen = table_of(told)
    assert [column.header for column in screen.columns][3:5] == ["± folds", f"± {called}"]
    assert f"± folds, ± {called}: " in str(screen.caption)
    assert next(iter(screen.columns[2].cells)).endswith(f"; 2 of 3 {called}, for ")
    assert f"| ± folds | ± {called} |" in results_block(told)
    assert results_table(told, {}).rows[0][1].note.endswith(f" {called}")
    assert f"2 of 3 {called}: " in results_table(told, {}).rows[0][0].note
    assert pairs_table(told).headings[-1].note == f"folds × {called}"
    assert folds_table(told).caption.endswith(f"mean over its {called}.")
    assert "session" not in folds_table(told).caption  # a fold may leave out a speaker, or a corpus


def test_the_page_says_that_draws_count_as_seeds(found):
    drawn = replace(found, arms=CURVE, seeds=[1, 2], settings={"seed": 0})
    assert AS_SEEDS in results_table(drawn, {}).caption
    assert AS_SEEDS not in results_table(found, {}).caption


def test_samples_beside_real_speech_are_not_called_alone(found):
    drawn = replace(found, arms=CURVE, settings={"methods": {"protocol": "augmentation-curve"}})
    shares = shares_of_real(found)
    assert Headline.of(drawn, shares).answer == (
        "Trained on real speech with synthetic samples beside it (federated), a recognizer reaches 88 % of the score "
        "that real speech gives without them."
    )
    drawn = replace(drawn, settings={"methods": {"protocol": "synthetic-only"}})
    assert "federated synthetic speech alone" in Headline.of(drawn, shares).answer


def test_the_same_reason_to_stay_is_told_once(found):
    modes = {name: replace(mode, stays="it copies") for name, mode in found.modes.items()}
    assert results_table(replace(found, modes=modes), {}).caption.count("†") == 1
