"""Worker processes: the same results as without, and none left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from simulations.comparison.doing import do
from simulations.comparison.modes import choose_modes
from simulations.comparison.setting import prepare
from simulations.comparison.store import Store
from simulations.comparison.units import units_for
from simulations.comparison.workers import LEAST, PATIENCE, Processes, _yield_to_others

ORDER = {"modes": ["real"], "folds": ["Session1"]}
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def setting(config, weights):
    return prepare(config, weights, lambda done, total: None)


@pytest.fixture
def worker(setting, tmp_path):
    started = Processes(1, setting, Store(tmp_path), do)
    yield started
    started.close()


@pytest.fixture
def unit(setting):
    return next(unit for unit in units_for(setting, choose_modes(["real"]), (setting.folds["Session1"],), [0]))


def workers_alive():
    alive = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if "spawn_main" in " ".join(child.cmdline())]


def wait_for_the_end(worker, seconds=200):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for state in worker.poll():
            if state.done or state.reason:
                return state
    raise TimeoutError


def test_processes_give_the_same_results_as_none(comparing, whole, tmp_path):
    results = comparing(tmp_path / "run", units=tmp_path / "units", workers=2, **ORDER)
    assert results["failures"] == []
    assert results["environment"]["workers"] == 2
    for mode in ORDER["modes"]:
        assert results["counts"][mode]["0"]["Session1"] == whole[0]["counts"][mode]["0"]["Session1"]
    assert workers_alive() == []


def test_a_process_that_yields_takes_only_what_others_leave():
    assert os.nice(0) < LEAST
    child = os.fork()
    if not child:
        _yield_to_others()
        os._exit(os.nice(0))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == LEAST


def test_a_worker_that_is_killed_is_named_with_its_unit_and_replaced(worker, unit):
    worker.submit(unit)
    (process,) = workers_alive()
    process.kill()
    state = wait_for_the_end(worker)
    assert (state.unit, state.done) == (unit, False)
    assert "killed by the system: too little memory? Run fewer at once with --workers" in state.reason
    assert worker.idle() == 1
    worker.submit(unit)
    assert wait_for_the_end(worker).done


@pytest.mark.slow
def test_a_worker_whose_last_word_nobody_heard_ends_at_once(worker, unit):
    worker.submit(unit)
    (line,) = (one.line for one in worker._workers)
    while line.poll(200) and line.recv()[1] is not None:
        pass
    begun = time.monotonic()
    worker.close()
    assert time.monotonic() - begun < PATIENCE / 2


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_command_with_its_status_and_leaves_nobody(config, weights, tmp_path, number):
    """A tuning that would take minutes, behind a real command line."""
    long = {"finetuning.iterations": 100_000, "network.width": 1 / 64, "network.noise": 8, "finetuning.batch": 2}
    long |= {"corpus.name": "table", "runtime.cache": config.runtime.cache, "runtime.device": "cpu"}
    sets = [word for name, value in long.items() for word in ("--set", f"{name}={json.dumps(value)}")]
    command = [sys.executable, "-m", "simulations.cli", "compare", "--root", config.runtime.corpus_root, "--run", "run"]
    command += ["--modes", "centralized", "--seeds", "1", "--workers", "1", "--base", str(weights), *sets]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE
    )
    metrics = tmp_path / "run" / "units" / "fit"
    deadline = time.monotonic() + 200
    while not list(metrics.glob("*/metrics.jsonl")):
        assert time.monotonic() < deadline, process.stderr.read().decode()
        assert process.poll() is None, process.stderr.read().decode()
        time.sleep(0.2)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    assert process.wait(200) == 128 + number
    assert "stopped as asked" in process.stderr.read().decode()
    _, alive = psutil.wait_procs(workers, 60)
    assert alive == []
    assert list(metrics.glob("*/snapshots/finetuning/*/card.json"))


@pytest.mark.slow
def test_a_worker_that_died_without_a_unit_fails_the_next_one_and_is_replaced(worker, unit):
    (process,) = workers_alive()
    process.kill()
    while process.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    worker.submit(unit)
    state = wait_for_the_end(worker)
    assert (state.unit, state.done) == (unit, False)
    assert "killed by the system" in state.reason
    assert worker.idle() == 1
