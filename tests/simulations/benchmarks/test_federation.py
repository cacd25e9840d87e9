"""The yardstick of a campaign tunes what the campaign tunes, and would notice a server that keeps what it is sent."""

import json
import threading

import pytest

from client.simulated import SITES
from common.config import load_config
from common.errors import UserError
from common.features.scaling import Scaling
from common.training.pretrained import save_pretrained
from common.training.stages import Pair
from common.wire import weights_digest
from server.bank import Bank
from server.pretraining import pretraining_identity
from server.run import EVENTS, run_campaign
from simulations.benchmarks import federation
from simulations.benchmarks.bare import Worker, Workplace
from simulations.benchmarks.federation import bench_federation, tuning_seconds, wire_ratios
from simulations.benchmarks.server import RecordedClients, server_peak
from simulations.federation.campaign import order
from simulations.federation.serial import SerialClients


@pytest.fixture(scope="module")
def config(three_sessions, tmp_path_factory):
    """The preset demo on twenty-four recordings, its networks and its work made small."""
    overrides = {
        "corpus.name": "table",
        "network.width": 1 / 64,
        "finetuning.iterations": 2,
        "finetuning.batch": 2,
        "recognizer.batch": 2,
        "recognizer.iterations": 2,
        "sampling.per_emotion": 5,
        "runtime.corpus_root": str(three_sessions),
        "runtime.cache": str(tmp_path_factory.mktemp("cache")),
        "runtime.device": "cpu",
        "runtime.threads": 1,
        "runtime.workers": 1,
    }
    return load_config("demo", [f"{name}={json.dumps(value)}" for name, value in overrides.items()])


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    """A campaign in one process, and the networks that it began with."""
    folder = tmp_path_factory.mktemp("campaign")
    save_pretrained(
        folder / "base",
        Pair.fresh(config.network, config.corpus.classes, config.seed),
        Scaling(-16.0, 4.0),
        pretraining_identity(config),
        {},
    )
    order(config, folder / "run", folder / "base", plan="everyone")
    run_campaign(folder / "run", SerialClients(folder / "run"))
    return folder


def test_the_bare_loop_tunes_what_the_campaign_tuned(config, finished):
    bank = Bank(finished / "run" / "bank")
    banked = {one.session: weights_digest(bank.load(one).weights()) for one in bank.banked()}
    workplace = Workplace(finished / "run" / SITES, config, finished / "base")
    worker = Worker(workplace, range(3), threading.Barrier(1))
    generators = dict(map(worker.tune, range(3)))
    assert generators == banked
    federation._require_same(generators, bank)
    with pytest.raises(UserError, match="not tune the same generators: Session2"):
        federation._require_same(generators | {"Session2": ""}, bank)


def test_the_tuning_phase_begins_with_its_stage_and_ends_with_its_last_generator(finished, tmp_path):
    assert tuning_seconds(finished / "run" / EVENTS) > 0
    told = [
        {"time": 1.0, "event": "stage", "stage": "ask"},
        {"time": 3.0, "event": "stage", "stage": "tune"},
        {"time": 5.0, "event": "done", "stage": "tune"},
        {"time": 9.5, "event": "done", "stage": "tune"},
        {"time": 20.0, "event": "done", "stage": "train"},
    ]
    (tmp_path / EVENTS).write_text("\n".join(map(json.dumps, told)))
    assert tuning_seconds(tmp_path / EVENTS) == 6.5


def test_the_wire_ratio_counts_every_byte_that_the_ledger_holds(config, finished):
    ratios = list(wire_ratios(finished / "run" / SITES, config))
    assert len(ratios) == 3
    heaviest = max(banked.bytes for banked in Bank(finished / "run" / "bank").banked())
    assert max(ratios) > heaviest / federation_generator_bytes(config) > 1


def federation_generator_bytes(config):
    return 2 * sum(
        parameter.numel()
        for parameter in Pair.fresh(config.network, config.corpus.classes, config.seed).generator.parameters()
    )


@pytest.mark.slow
def test_the_server_needs_no_more_for_many_clients_and_one_that_kept_their_answers_would_show(tmp_path, monkeypatch):
    (tmp_path / "hoarding.py").write_text(HOARDING)
    monkeypatch.syspath_prepend(tmp_path)
    from hoarding import HoardingClients

    few = server_peak(4)
    assert server_peak(64) <= 1.2 * few
    assert server_peak(64, HoardingClients) > 1.2 * few
    assert issubclass(HoardingClients, RecordedClients)


HOARDING = '''
from simulations.benchmarks.server import RecordedClients


class HoardingClients(RecordedClients):
    """As if the server kept every answer."""

    def exchange(self, payloads, seconds):
        self.kept = getattr(self, "kept", [])
        for answer in super().exchange(payloads, seconds):
            self.kept.append(answer.data)
            yield answer
'''


@pytest.mark.parametrize(("load", "warned"), [(0.2, False), (3.0, True)])
def test_a_machine_that_others_use_is_told_of(monkeypatch, load, warned):
    monkeypatch.setattr(federation.os, "getloadavg", lambda: (load, load, load))
    monkeypatch.setattr(federation, "usable_cores", lambda: 2)
    assert ("3.0 processes wait for 2 cores" in federation.busy_line()) is warned


@pytest.mark.slow
def test_all_figures_stand_in_one_object_and_no_process_waits_for_another(config, monkeypatch, capfd):
    monkeypatch.setattr(federation, "server_peak", lambda clients: 1e9 + clients)
    told = []
    figures = bench_federation(config, seconds_per_tuning=0.01, backend="serial", tell=told.append)
    assert told[-1] == "the same in a campaign"
    assert figures["overhead"] > 0
    assert figures["server_memory_ratio"] == 1.0
    assert figures["wire_ratio"] > 1
    assert figures["tunings"] == 3
    assert json.loads(json.dumps(figures)) == figures
    assert "waiting" not in capfd.readouterr().err
