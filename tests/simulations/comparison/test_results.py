"""What units come to: counts to scores, and what becomes of those that are missing."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from common.scoring import Summary
from common.scoring.families import holm
from simulations.comparison.ablations import choose_ablations
from simulations.comparison.differences import corrected
from simulations.comparison.modes import choose_modes
from simulations.comparison.results import _quarantined, _turned_together, failed
from simulations.comparison.schema import Aside, Difference, Failed, Turned, read_results
from simulations.comparison.setting import prepare
from simulations.comparison.table import ablation_lines, failure_lines, table_of
from simulations.comparison.units import units_for


def shown(results):
    from rich.console import Console

    console = Console(record=True, width=160, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(table_of(results))
    return console.export_text()


def test_the_networks_at_the_start_are_told_by_their_card_not_by_the_configuration(whole, weights):
    results, _ = whole
    card = json.loads((weights / "card.json").read_text())
    told = results["pretrained"]
    assert (told["sha256"], told["pretraining"]) == (card["sha256"], card["settings"]["pretraining"])
    assert "pretraining" not in results["settings"]


def test_modes_are_compared_in_pairs_and_every_measure_of_quality_has_its_controls(whole):
    results, _ = whole
    assert len(results["paired"]) == 3 * 15
    assert {row["pairs"] for row in results["paired"]} == {3}
    assert list(results["quality"]) == ["centralized", "federated", "baseline", "floor", "copying", "noise"]
    assert set(results["gap_closed"]) == {"centralized", "federated", "baseline", "real+synthetic"}


def test_copies_of_real_speech_pass_for_it_and_noise_does_not(whole):
    quality = whole[0]["quality"]
    assert quality["copying"]["frechet"]["mean"] < 0.5 * quality["noise"]["frechet"]["mean"]
    assert quality["copying"]["kernel"]["mean"] < quality["noise"]["kernel"]["mean"]
    assert quality["copying"]["coverage"]["mean"] > 0.5 > quality["noise"]["coverage"]["mean"]
    assert quality["copying"]["density"]["mean"] > quality["noise"]["density"]["mean"]
    assert 0 <= quality["copying"]["recognized"]["mean"] <= 1


def test_without_the_real_mode_nobody_can_say_what_samples_are_recognized_as(comparing, tmp_path):
    results = comparing(tmp_path, modes=["floor"], folds=["Session1"])
    assert results["quality"]["floor"]["recognized"] is None
    assert results["quality"]["floor"]["coverage"]["mean"] >= 0
    assert results["gap_closed"] == {}


def test_no_result_tells_a_folder_of_this_machine(whole, tmp_path, config):
    text = json.dumps(whole[0])
    assert config.runtime.corpus_root not in text
    assert str(tmp_path.parent) not in text


def test_the_table_shows_what_failed_and_why(whole):
    results = read_results(whole[1])
    assert "failed" not in shown(results)
    for mode in results.modes:
        assert mode in shown(results)
    failure = Failed("tune conditional, a, seed 0", ["federated"], "a", 0, "no room")
    lost = replace(results.modes["federated"], macro_f1=None, complete=False)
    broken = replace(results, modes=results.modes | {"federated": lost}, failures=[failure])
    assert "failed" in shown(broken)
    assert "no room" in shown(broken)
    assert list(failure_lines(broken)) == ["failed: tune conditional, a, seed 0 (for federated): no room"]


@pytest.mark.parametrize(
    ("lost", "rows"),
    [
        ("tune eskimez, Session2, seed 0", {"federated", "federated, sampling.latent_scale=1.3"}),
        ("train real, Session1, seed 0", {"real", "federated", "copying", "noise"}),
        ("score federated, Session1, seed 0", {"federated"}),
    ],
)
def test_a_failure_names_every_row_that_lacks_a_score_or_a_measure_of_quality_for_it(config, weights, lost, rows):
    setting = prepare(config, weights, lambda done, total: None)
    ablations = choose_ablations(["sampling.latent_scale"], config)
    units = units_for(setting, choose_modes(["real", "federated"]), [setting.folds["Session1"]], [0], ablations)
    (unit,) = (unit for unit in units if str(unit) == lost)
    (told,) = failed(units, {unit.key: "no room"})
    assert (told.unit, set(told.modes)) == (lost, rows)


def test_a_turned_setting_has_a_line_of_its_own(whole):
    found = Difference(-0.013, -0.064, 0.032, 0.485, pairs=15, different=False)
    score = Summary(0.766, 0.7, 0.8, None, None, folds=5, seeds=3, n=339)
    row = Turned("sampling.latent_scale", 1.3, 1.0, complete=True, macro_f1=score, difference=found)
    rows = [row, replace(row, macro_f1=None, difference=None)]
    assert list(ablation_lines(replace(read_results(whole[1]), ablations=rows))) == [
        "federated, sampling.latent_scale=1.0: macro F1 0.766, -0.013 (-0.064 to 0.032, p = 0.485)",
        "federated, sampling.latent_scale=1.0: failed",
    ]


def differing(p_value, different=True):
    return Difference(0.1, 0.05, 0.15, p_value, pairs=15, different=different)


def test_among_many_differences_one_is_sure_only_if_its_p_holds_for_all_of_them():
    alone = corrected([differing(0.03)])
    assert [(one.different, one.holm) for one in alone] == [(True, 0.03)]
    many = corrected([differing(0.001), differing(0.03), differing(0.04), differing(0.5, different=False)])
    assert [one.different for one in many] == [True, False, False, False]
    assert [one.holm for one in many] == pytest.approx([0.004, 0.09, 0.09, 0.5])
    assert [one.p_value for one in many] == [0.001, 0.03, 0.04, 0.5]


def test_a_small_p_does_not_make_sure_what_the_interval_does_not():
    assert not corrected([differing(0.001, different=False)])[0].different


def test_each_metric_of_pairs_is_a_family_of_its_own(whole):
    for metric in ("macro_f1", "uar", "accuracy"):
        rows = [row for row in whole[0]["paired"] if row["metric"] == metric]
        corrected = holm({number: row["p_value"] for number, row in enumerate(rows)})
        assert [row["holm"] for row in rows] == pytest.approx(list(corrected.values()))
        assert max(row["holm"] for row in rows) > max(row["p_value"] for row in rows) or 1.0 in corrected.values()


def test_settings_that_are_turned_are_one_family_and_one_without_a_difference_is_passed_over(whole):
    rows = [Turned("a", 1, 2, True, None, differing(0.03)), Turned("b", 1, 2, False, None, None)]
    rows += [Turned("c", 1, 2, True, None, differing(0.04))]
    found = [row.difference for row in _turned_together(rows)]
    assert found[1] is None
    assert [one.holm for one in found if one] == pytest.approx([0.06, 0.06])
    score = Summary(0.766, 0.7, 0.8, None, None, folds=5, seeds=3, n=339)
    (line, *_) = ablation_lines(
        replace(read_results(whole[1]), ablations=[replace(rows[0], macro_f1=score, difference=found[0])])
    )
    assert "p = 0.030, Holm 0.060" in line


def test_units_of_two_precisions_are_told_of(comparing, tmp_path, capsys):
    from rich.console import Console

    order = {"modes": ["real"], "folds": ["Session1"], "units": tmp_path / "units", "console": Console(width=200)}
    assert comparing(tmp_path / "run", **order)["environment"]["precision"] == "fp32"
    assert "warning" not in capsys.readouterr().out
    for card in (tmp_path / "units").glob("train/*/card.json"):
        card.write_text(card.read_text().replace('"precision": "fp32"', '"was": "fp32"'))
    assert comparing(tmp_path / "run", **order)["environment"]["precision"] == "fp32, not told"
    assert "warning" not in capsys.readouterr().out
    for card in (tmp_path / "units").glob("score/*/card.json"):
        card.write_text(card.read_text().replace('"fp32"', '"bf16"'))
    assert comparing(tmp_path / "run", **order)["environment"]["precision"] == "bf16, fp32, not told"
    assert "warning: units were computed in bf16, fp32" in capsys.readouterr().out


def test_a_release_that_one_row_puts_aside_is_told_whatever_other_rows_do_with_that_session():
    reasons = {"a": "", "b": "its samples are constant", "c": ""}
    units = [SimpleNamespace(kind="tune", place="Session1", seed=0, key=key) for key in reasons]
    store = SimpleNamespace(aside=lambda unit: reasons[unit.key])
    assert _quarantined(units, store) == [Aside("Session1", 0, "its samples are constant")]
