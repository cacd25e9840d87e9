"""The campaign through real Flower and Ray: the numbers of the serial loop, and a true end whatever happens."""

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("flwr", reason="Flower is an extra")

from client.simulated import SITES
from common.config.showing import as_toml
from common.errors import UserError
from common.wire import weights_digest
from server.bank import Bank
from server.campaign import BANK, RESULTS
from server.run import EVENTS, run_campaign
from simulations import telemetry
from simulations.federation import flower
from simulations.federation.campaign import order
from simulations.federation.resources import Plan
from simulations.federation.serial import SerialClients

SESSIONS = [f"Session{number}" for number in range(1, 6)]
LONG = 280.0


def digests(run):
    bank = Bank(run / BANK)
    return {banked.session: weights_digest(bank.load(banked).weights()) for banked in bank.banked()}


def processes_of(run):
    """Environments of all processes that were started for a run: their Flower home lies in it.

    Ray's Python processes write a title of their own over a part of theirs, so that theirs is told to be empty; the
    process that starts them has the same one.
    """
    home = f"FLWR_HOME={run.resolve() / 'flower' / 'home'}".encode()
    found = {}
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            environment = path.read_bytes().split(b"\0")
            titled = path.with_name("cmdline").read_bytes().startswith(b"ray::")
        except OSError:
            continue
        if home in environment:
            pairs = () if titled else (pair.decode().split("=", 1) for pair in environment if b"=" in pair)
            found[int(path.parent.name)] = dict(pairs)
    return found


def lines(run):
    path = run / EVENTS
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture(scope="module")
def serial(config, weights, tmp_path_factory):
    run = tmp_path_factory.mktemp("serial") / "run"
    order(config, run, weights)
    run_campaign(run, SerialClients(run))
    return run


@pytest.mark.slow  # Ray gives its agents a quarter of a minute to appear, which a busy machine may not have
@pytest.mark.timeout(900)
def test_flower_on_ray_gives_the_serial_loops_bits_tells_nobody_and_leaves_no_process(
    config, weights, serial, tmp_path
):
    run = tmp_path / "run"
    simulation = order(config, run, weights)
    environments = {}
    simulation.start("ray", lambda: environments.update(processes_of(run)))
    assert digests(run) == digests(serial)
    assert (run / RESULTS).read_bytes() == (serial / RESULTS).read_bytes()
    told = [environment for environment in environments.values() if environment]
    assert len(told) > 5
    assert [telemetry.still_on(environment) for environment in told] == [[]] * len(told)
    until(lambda: processes_of(run) == {})  # what was just starting sees that Ray is gone once it is up


@pytest.mark.slow
def test_one_worker_at_a_time_gives_the_same_bits(config, weights, serial, tmp_path):
    run = tmp_path / "run"
    simulation = order(config, run, weights)
    dataclasses.replace(simulation, plan=dataclasses.replace(simulation.plan, at_once=1)).start("ray", lambda: None)
    assert (run / RESULTS).read_bytes() == (serial / RESULTS).read_bytes()
    assert digests(run) == digests(serial)


@pytest.mark.slow
def test_sites_that_refuse_or_break_are_named_and_the_others_go_on(config, weights, tmp_path):
    run = tmp_path / "run"
    simulation = order(config, run, weights)
    policy = run / SITES / "Session2" / "policy.toml"
    policy.write_text(re.sub(r"(?m)^recipes = .*", "recipes = []", policy.read_text()))
    (run / SITES / "Session4" / "policy.toml").unlink()
    simulation.start("ray", lambda: None)
    results = json.loads((run / RESULTS).read_text())
    assert results["sessions"] == ["Session1", "Session3", "Session5"]
    reasons = {failure["session"]: failure["reason"] for failure in results["failures"]}
    assert "recipe-forbidden" in reasons["Session2"]
    assert str(tmp_path) not in json.dumps(results["failures"])


@pytest.mark.slow
def test_fewer_than_the_quorum_end_the_run_with_the_reason(config, weights, tmp_path):
    run = tmp_path / "run"
    simulation = order(config, run, weights)
    for session in SESSIONS[1:]:
        (run / SITES / session / "policy.toml").write_text("stepps = 1\n")
    with pytest.raises(UserError, match="quorum"):
        simulation.start("ray", lambda: None)
    assert processes_of(run) == {}


@pytest.fixture
def command(config, weights, tmp_path):
    """`eyesoff simulate` with some seconds of tuning, as its own process."""
    longer = config.model_copy(update={"finetuning": config.finetuning.model_copy(update={"iterations": 40})})
    (tmp_path / "long.toml").write_text(as_toml(longer))
    words = [str(Path(sys.executable).with_name("eyesoff")), "simulate", "--config", str(tmp_path / "long.toml")]
    words += ["--base", str(weights), "--no-real", "--resume"]

    def begin(run, *more):
        return subprocess.Popen([*words, "--run", str(run), *more], stderr=subprocess.PIPE, text=True)

    return begin


def until(condition):
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def banked_some(run):
    return any(event["event"] == "done" and event["stage"] == "tune" for event in lines(run))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_all_processes_killed_at_once_and_resumed_end_with_the_same_bits(command, tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert command(whole, "--backend", "serial").wait(LONG) == 0
    killed = command(cut)
    until(lambda: banked_some(cut))
    for process in [killed.pid, *processes_of(cut)]:
        os.kill(process, signal.SIGKILL)
    killed.wait(LONG)
    banked = digests(cut)
    assert 1 <= len(banked) < 5
    before = {path: path.stat().st_mtime_ns for path in (cut / BANK).iterdir() if path.is_file()}
    assert command(cut).wait(LONG) == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert digests(cut) == digests(whole)
    assert (cut / RESULTS).read_bytes() == (whole / RESULTS).read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("sign", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_a_termination_end_everything_and_say_how_to_go_on(command, tmp_path, sign, status):
    run = tmp_path / "run"
    begun = command(run)
    until(lambda: banked_some(run))
    begun.send_signal(sign)
    _, told = begun.communicate(timeout=LONG)
    assert begun.returncode == status
    assert "--resume" in told
    until(lambda: processes_of(run) == {})


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_worker_that_dies_is_named_and_a_resume_finishes_its_work(command, tmp_path):
    run = tmp_path / "run"
    begun = command(run)
    until(lambda: any((run / SITES).glob("*/state/tunings/*/progress.json")))
    workers = [
        process for process in processes_of(run) if b"ClientAppActor" in Path(f"/proc/{process}/cmdline").read_bytes()
    ]
    assert workers
    os.kill(workers[0], signal.SIGKILL)
    _, told = begun.communicate(timeout=LONG)
    assert begun.returncode != 0 or json.loads((run / RESULTS).read_text())["failures"]
    assert "failed" in told or "error" in told
    assert command(run).wait(LONG) == 0
    assert sorted(digests(run)) == SESSIONS


@pytest.mark.parametrize(("address", "counts"), [(None, True), ("", True), ("10.0.0.1:6379", False)])
def test_only_a_cluster_that_is_named_has_a_count_of_its_own(address, counts, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if address is not None:
        monkeypatch.setenv("RAY_ADDRESS", address)
    plan = Plan(clients=5, at_once=2, threads=1, gpus=0.0, client_bytes=1, server_bytes=1)
    assert ("init-args-num-cpus=2" in " ".join(flower.resources_for(plan))) is counts
    assert (flower.ray_environment().get("RAY_ADDRESS") == "local") is counts
