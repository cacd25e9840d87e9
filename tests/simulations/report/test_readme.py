"""Tables of stored runs in documents: they say what the run says, and whoever changes one of the two is found out."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from common.errors import UserError
from simulations.cli import app
from simulations.report.readme import comments, update_readme, with_results

ROOT = Path(__file__).parents[3]
STORED = sorted(path.parent for path in ROOT.glob("results/*/results.json"))
RESULTS = ROOT / "docs" / "results.md"
FIRST, LAST = comments("run")
README = f"Before.\n\n{FIRST}\n{LAST}\n\nAfter.\n"


def in_step(text, run):
    """Whether a README says what the run says."""
    return with_results(text, run) == text


@pytest.mark.parametrize("run", STORED, ids=lambda run: run.name)
def test_the_page_of_results_says_what_the_stored_run_says(run):
    assert in_step(RESULTS.read_text(), run), f"eyesoff report results/{run.name} --readme docs/results.md"


@pytest.mark.parametrize("run", STORED, ids=lambda run: run.name)
def test_a_table_in_the_readme_says_it_too(run):
    text = (ROOT / "README.md").read_text()
    assert comments(run.name)[0] not in text or in_step(text, run), (
        f"eyesoff report results/{run.name} --readme README.md"
    )


@pytest.mark.parametrize("page", [RESULTS, ROOT / "README.md"], ids=lambda page: page.name)
def test_no_table_lacks_its_run(page):
    tables = re.findall(r"<!-- results: (\S+) -->\n(.*?)<!-- end", page.read_text(), re.DOTALL)
    assert {name for name, table in tables if table} <= {folder.name for folder in ROOT.glob("results/*/")}


def test_a_generated_table_is_in_step_and_any_changed_number_is_found(results, run_of, tmp_path):
    run, readme = run_of(results), tmp_path / "README.md"
    readme.write_text(README)
    assert not in_step(README, run)
    update_readme(readme, run)
    text = readme.read_text()
    assert in_step(text, run)
    assert text.startswith("Before.\n\n")
    assert text.endswith("\n\nAfter.\n")
    assert "| federated | 0.752 | 0.706 to 0.784 | 0.023 | 0.012 | 0.764 | 88 %" in text
    assert "| baseline | failed: no <room> |" in text
    assert "| sampling.latent_scale | 1.3 (0.752) | 1.0 (0.731) | −0.02" in text
    assert "| finetuning.even_start | false (0.752) | true (failed) | – | – |" in text
    assert not in_step(text.replace("0.752", "0.852"), run)
    assert not in_step(text.replace("1.0 (0.731)", "1.0 (0.751)"), run)
    results["modes"]["federated"]["macro_f1"]["mean"] = 0.7719
    assert not in_step(text, run_of(results))


def test_a_run_with_a_setting_that_is_gone_is_named_as_an_older_versions(results, run_of):
    results["settings"]["features"] |= {"trim": 40.0, "normalisation": "session"}  # told where they are not as usual
    assert "Made with `eyesoff " in with_results(README, run_of(results))
    results["settings"] |= {"svm": {"c": 0.1}, "imbalance": {"removed": 0.5}}  # sections that methods bring
    assert "Made with `eyesoff " in with_results(README, run_of(results))
    results["settings"]["finetuning"]["frozen_layers"] = 0
    assert "Made with an older version, by `eyesoff " in with_results(README, run_of(results))


def test_a_run_that_turned_no_setting_has_no_table_of_them(results, run_of):
    results["ablations"] = []
    assert "instead" not in with_results(README, run_of(results))


def test_a_protocol_of_several_arms_has_a_table_of_them(results, run_of):
    found = results["modes"]["federated"]
    arm = {"macro_f1": found["macro_f1"], "uar": found["uar"], "recall": 0.25}
    results["arms"] = [{"name": "happy", "watched": "happy", "modes": {"real": arm, "federated": arm}}]
    text = with_results(README, run_of(results | {"protocol": "imbalance, happy"}))
    assert "\n| trained on | happy (made rare) |\n" in text
    assert "The first table is of imbalance, happy. " in text
    assert re.search(r"\n\| federated \| 0\.764 \(.* to .*, recall 25 %\) \|\n", text)
    assert "\n| baseline | failed |\n" in text


def test_the_spread_of_vectors_stands_beside_their_score_and_patches_have_none(results, run_of):
    assert "spread" not in with_results(README, run_of(results))
    results["quality"]["federated"]["spread"] = {"mean": 0.4321, "std_over_folds": None}
    text = with_results(README, run_of(results))
    assert "| gap closed | spread |" in text
    assert re.search(r"\| federated \|.*\| 0\.43 \|", text)
    assert re.search(r"\| real \|.*\| – \|", text)


@pytest.mark.parametrize("text", ["", FIRST, README + README])
def test_a_readme_without_a_place_is_refused_and_told_what_to_put_there(results, run_of, text):
    with pytest.raises(UserError, match=f"no place for the results of run: .*{FIRST}"):
        with_results(text, run_of(results))


def test_the_command_writes_both(results, run_of, blank_figures, tmp_path):
    run, readme = run_of(results), tmp_path / "README.md"
    readme.write_text(README)
    done = CliRunner().invoke(app, ["report", str(run), "--readme", str(readme)])
    assert done.exit_code == 0, done.output
    assert f"report: {run / 'report.html'}" in done.stdout
    assert in_step(readme.read_text(), run)


def test_the_command_shows_the_page_where_that_is_asked_for(results, run_of, blank_figures, monkeypatch):
    shown = []
    monkeypatch.setattr("typer.launch", shown.append)
    run = run_of(results)
    CliRunner().invoke(app, ["report", str(run)])
    assert shown == []
    CliRunner().invoke(app, ["report", str(run), "--open"])
    assert shown == [str(run / "report.html")]
