"""Vectors from recordings to a federated Gaussian that a machine reads: a campaign and a comparison give the same."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from rich.console import Console

from client.ledger import verify
from client.simulated import SITES
from client.site import STATE
from common.config import load_config
from common.config.unnamed import default_base
from common.errors import UserError
from common.features.functionals import NAMES
from common.settings import MethodsConfig
from common.spaces import Vectors
from server.bank import Bank
from server.campaign import BANK, RESULTS
from server.run import run_campaign
from simulations import cli
from simulations.comparison import vectors
from simulations.comparison.measures import OF_VECTORS, drawn_feature
from simulations.comparison.modes import choose_modes
from simulations.comparison.schema import read_results
from simulations.comparison.table import quality_of
from simulations.comparison.vectors import View
from simulations.federation.campaign import order
from simulations.federation.serial import SerialClients
from simulations.report.evidence import Evidence
from simulations.report.looking import best_modes
from simulations.report.page import build
from simulations.report.tables import vector_quality_table

MODES = ("real", "gaussian", "gaussian, federated")
SPACE = Vectors(set="functionals", size=1715, scale="session")


@pytest.fixture(scope="module")
def of_vectors(config):
    """The preset `best` on the speech of these tests."""
    best = load_config("best")
    return config.model_copy(update={name: getattr(best, name) for name in ("methods", "vectors")})


@pytest.fixture(scope="module", autouse=True)
def _few_looks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "AN_EMOTION", 6)
        yield


@pytest.fixture(scope="module")
def compared(comparing, of_vectors, tmp_path_factory):
    run = tmp_path_factory.mktemp("run") / "vectors"
    return comparing(run, settings=of_vectors, base=None, modes=MODES, seeds=1), run


@pytest.fixture(scope="module")
def campaign(of_vectors, tmp_path_factory):
    run = tmp_path_factory.mktemp("campaign") / "run"
    order(of_vectors, run, default_base(of_vectors))
    run_campaign(run, SerialClients(run))
    return run


def found(campaign):
    return json.loads((campaign / RESULTS).read_text())


def test_every_session_releases_a_gaussian_and_is_scored_by_the_others(campaign) -> None:
    releases = Bank(campaign / BANK).banked()
    assert [one.card.tuning.synthesizer for one in releases] == ["gaussian"] * 3
    assert {one.card.tuning.space for one in releases} == {SPACE}
    assert all(one.card.tuning.scaling is None and one.card.tuning.base is None for one in releases)
    assert [sum(map(len, fold["counts"].values())) for fold in found(campaign)["folds"]] == [2, 2, 2]
    assert found(campaign)["failures"] == found(campaign)["quarantined"] == []


def test_a_bank_tells_the_licence_of_what_made_its_numbers(campaign, capsys) -> None:
    with pytest.raises(SystemExit):
        cli.main(["bank", "list", "--json", str(campaign / BANK)])
    assert [one["licence"] for one in json.loads(capsys.readouterr().out)["releases"]] == ["Apache-2.0"] * 3


def test_what_left_each_site_stands_in_its_ledger(campaign) -> None:
    ledgers = list(campaign.glob(f"{SITES}/*/{STATE}/ledger.jsonl"))
    assert len(ledgers) == 3
    for ledger in ledgers:
        assert verify(ledger)
        assert "released.factor" in ledger.read_text()


@pytest.mark.slow
def test_the_comparisons_federated_mode_is_the_campaign_to_the_count(campaign, compared) -> None:
    results, _ = compared
    counts = json.loads(json.dumps(results["counts"]))["gaussian, federated"]["0"]
    for fold in found(campaign)["folds"]:
        (told,) = fold["counts"].values()
        assert np.sum(told, axis=0).tolist() == np.sum(list(counts[fold["name"]].values()), axis=0).tolist()


def test_every_mode_is_scored_and_its_samples_are_measured(compared) -> None:
    results, run = compared
    assert results["failures"] == []
    assert list(results["modes"]) == list(MODES)
    assert all(results["modes"][name]["complete"] for name in MODES)
    assert list(results["quality"]) == ["gaussian", "gaussian, federated", "copying", "noise"]
    assert results["quality"]["copying"]["spread"]["mean"] == pytest.approx(1, abs=0.35)
    for control in ("copying", "noise"):
        assert all(results["quality"][control][one] is not None for one in OF_VECTORS)
    copying, noise = results["quality"]["copying"], results["quality"]["noise"]
    assert copying["mmd"]["mean"] < noise["mmd"]["mean"]
    assert copying["metric_2_set_1"]["mean"] > noise["metric_2_set_1"]["mean"]
    assert copying["nearness"]["mean"] < noise["nearness"]["mean"]
    assert (run / "evidence" / "embeddings.safetensors").stat().st_size > 1000


def test_the_screen_tells_the_shortest_of_it_and_nothing_where_samples_are_patches(compared) -> None:
    results = read_results(compared[1])
    console = Console(record=True, width=160, file=io.StringIO())
    console.print(quality_of(results))
    shown = console.export_text()
    assert "MMD / floor" in shown
    assert f"{results.quality['noise'].spread.mean:.2f}" in shown
    patches = {name: replace(found, spread=None) for name, found in results.quality.items()}
    assert quality_of(replace(results, quality=patches)) is None
    assert not vector_quality_table(replace(results, quality=patches)).rows


def test_the_report_tells_every_measure_of_vectors_and_which_direction_is_good(compared) -> None:
    table = vector_quality_table(read_results(compared[1]))
    assert [row[0].value for row in table.rows] == ["gaussian", "gaussian, federated", "copying", "noise"]
    assert {len(row) for row in table.rows} == {len(table.headings)}
    assert all(
        words in table.caption for words in ("Spread is", "MMD is", "Metric 1", "Metric 2", "Metric 3", "Nearest")
    )
    assert table.caption.count("better") + table.caption.count("best") >= 6


def test_the_report_maps_samples_beside_real_speech_and_shows_one_number_that_the_seed_chose(compared) -> None:
    results = read_results(compared[1])
    evidence = Evidence.read(compared[1], list(results.modes))
    number = drawn_feature(SPACE.size, evidence.seed)
    assert evidence.feature == (number, NAMES[number])
    assert best_modes(results, evidence) == ("gaussian", "gaussian, federated")
    report = build(results, evidence)
    figures = {figure.name: figure for figure in report.figures}
    assert "of gaussian, gaussian, federated: real vectors dark" in figures["maps"].alt
    assert NAMES[number] in figures["histogram"].alt
    assert "neighbours" not in figures
    assert "encoder's space" not in report.page
    assert figures["maps"].svg in report.page
    assert figures["histogram"].svg in report.page


def test_the_number_of_a_histogram_hangs_on_the_seed_alone() -> None:
    assert [drawn_feature(1715, seed) for seed in (0, 0)] == [drawn_feature(1715, 0)] * 2
    assert len({drawn_feature(1715, seed) for seed in range(20)}) > 15


def test_the_same_command_again_computes_nothing(comparing, of_vectors, compared, counting) -> None:
    _, run = compared
    comparing(run, settings=of_vectors, base=None, modes=MODES, seeds=1)
    assert counting == []


def test_another_setting_of_vectors_is_other_units_and_one_of_patches_is_not(
    comparing, of_vectors, compared, counting, tmp_path
) -> None:
    floor = of_vectors.features.model_copy(update={"floor": 1e-5})
    patches = of_vectors.model_copy(update={"features": floor})
    comparing(tmp_path / "patches", settings=patches, base=None, modes=("real",), seeds=1)
    assert counting == []
    wide = of_vectors.vectors.model_copy(update={"trim": 0.0})
    other = of_vectors.model_copy(update={"vectors": wide})
    comparing(tmp_path / "vectors", settings=other, base=None, modes=("real",), seeds=1)
    assert "train real, Session1, seed 0" in counting


def test_without_a_name_a_comparison_of_vectors_has_real_speech_and_each_synthesizer_of_vectors() -> None:
    names = [mode.name for mode in choose_modes([], SPACE)]
    assert names[0] == "real"
    assert {"gaussian", "gaussian, federated"} <= set(names)
    assert not {"centralized", "federated", "baseline", "floor", "real+synthetic"} & set(names)


def test_a_synthesizer_of_vectors_is_refused_for_a_network_of_patches(comparing, config, tmp_path) -> None:
    with pytest.raises(UserError, match="not a mode of patches: gaussian"):
        comparing(tmp_path / "run", modes=("real", "gaussian"))
    methods = MethodsConfig(synthesizer="gaussian")
    with pytest.raises(UserError, match="the recognizer cnn reads patches, the synthesizer gaussian makes vectors"):
        order(config.model_copy(update={"methods": methods}), tmp_path / "campaign", tmp_path)


def test_a_site_with_other_settings_of_vectors_takes_no_part(of_vectors, tmp_path) -> None:
    run = tmp_path / "run"
    order(of_vectors, run, default_base(of_vectors))
    site = sorted((run / SITES).glob("*/site.toml"))[0]
    site.write_text(site.read_text().replace("trim = 40.0", "trim = 30.0"))
    outcome = run_campaign(run, SerialClients(run))
    (failure,) = outcome["failures"]
    assert "set [vectors] alike on both sides" in failure["reason"]
    assert len(Bank(run / BANK).banked()) == 2


def test_a_view_has_the_directions_in_which_real_vectors_vary_most() -> None:
    real = torch.randn(200, 5, generator=torch.Generator().manual_seed(0))
    real[:, 3] *= 10
    view = View.of(real, Vectors(set="five", size=5, scale="session"))
    assert int(view.directions[:, 0].abs().argmax()) == 3
    raw = View.of(real, Vectors(set="five", size=5, scale="raw"))
    assert torch.allclose(raw.scaled(real).std(0, correction=0), torch.ones(5), atol=1e-3)
