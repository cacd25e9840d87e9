"""`eyesoff compare` as a person meets them."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from common.errors import UserError
from simulations.cli import app
from simulations.comparison import running
from simulations.comparison.schema import Failed, Results, plain
from simulations.report import writing

RESULTS = Results("emodb", "emodb", "0123456789ab", ["sad", "happy"], [0], {})
FAILED = Failed("tune eskimez, a, seed 0", ["federated"], "a", 0, "no room")


@pytest.fixture
def asked(monkeypatch):
    """The orders that reach the comparison, which answers with the last of `results`."""
    orders, results = [], [RESULTS]

    def answer(config, order, console, stop):
        orders.append((config, order))
        return results[-1]

    monkeypatch.setattr(running, "run_comparison", answer)
    monkeypatch.setattr(writing, "write_report", lambda run: run / "report.html")
    return orders, results


def test_words_become_an_order(asked):
    orders, _ = asked
    words = ["compare", "--preset", "demo", "--modes", "real, federated", "--seeds", "2", "--folds", "12+14"]
    done = CliRunner().invoke(app, [*words, "--root", "/data/EMO-DB", "--corpus", "emodb", "--run", "runs/a"])
    assert done.exit_code == 0, done.output
    ((config, order),) = orders
    assert (config.corpus.name, config.runtime.corpus_root) == ("emodb", "/data/EMO-DB")
    assert (order.modes, order.seeds, order.folds, str(order.run)) == (("real", "federated"), 2, ("12+14",), "runs/a")
    assert "/data" not in order.command
    assert "report: runs/a/report.html" in done.stdout


def test_a_failed_unit_is_told_and_the_exit_status_is_one(asked):
    _, results = asked
    results.append(replace(RESULTS, failures=[FAILED]))
    done = CliRunner().invoke(app, ["compare", "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout) == plain(results[-1])
    assert "failed: tune eskimez, a, seed 0 (for federated): no room" in done.stderr


def test_an_unknown_mode_is_a_mistake_of_the_reader(tmp_path):
    done = CliRunner().invoke(app, ["compare", "--modes", "guessed", "--run", str(tmp_path / "run")])
    assert isinstance(done.exception, UserError)
    assert "no such mode: guessed" in str(done.exception)
