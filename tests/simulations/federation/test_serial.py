"""The whole campaign with real keepers in one process: what is asked, what is banked, and after a kill the same."""

import json
import shutil

import pytest
import torch

from client.dice import Dice
from client.door import Door
from client.ledger import entries, verify
from client.simulated import SITE, SITES, simulated_secret
from client.site import load_site
from common.errors import UserError, UserErrors
from common.seeds import derive_seed
from common.synthesizers.methods.eskimez import finetune
from common.training.checkpoint import save_tensors
from common.wire import Code
from server.bank import Bank
from server.campaign import RESULTS
from server.run import EVENTS, run_campaign
from simulations.federation.campaign import order
from simulations.federation.serial import SerialClients

SESSIONS = [f"Session{number}" for number in range(1, 4)]


class Counted:
    """Serial clients, and how often each was sent what."""

    def __init__(self, run):
        self.clients, self.sent = SerialClients(run), []
        self.names = self.clients.names

    def exchange(self, payloads, seconds):
        for answer in self.clients.exchange(payloads, seconds):
            self.sent.append(answer.client)
            yield answer


@pytest.fixture(scope="session")
def config(of_three_sessions):
    return of_three_sessions


@pytest.fixture(scope="module")
def finished(config, weights, tmp_path_factory):
    """A campaign that nothing disturbed."""
    run = tmp_path_factory.mktemp("finished") / "run"
    order(config, run, weights)
    clients = Counted(run)
    run_campaign(run, clients)
    return run, clients


def counts_in(run):
    return json.loads((run / RESULTS).read_text())["folds"]


def test_sessions_are_tuned_once_each_and_scored_by_the_others_generators(finished):
    run, clients = finished
    rounds = ("ask", "tune", "tune with networks", "score")
    assert clients.sent == [str(number) for _ in rounds for number in range(len(SESSIONS))]
    assert [banked.session for banked in Bank(run / "bank").banked()] == SESSIONS
    for fold in counts_in(run):
        assert fold["train"] == [name for name in SESSIONS if name != fold["name"]]
        (matrices,) = fold["counts"].values()
        assert len(matrices) == 2  # speakers
        assert sum(count for matrix in matrices for row in matrix for count in row) == 8


def test_every_site_wrote_down_what_left_and_the_bank_holds_those_bytes(finished):
    run, _ = finished
    for banked in Bank(run / "bank").banked():
        ledger = run / SITES / banked.session / "state" / "ledger.jsonl"
        assert verify(ledger).problems == ()
        sent = {entry.kind: entry for entry in entries(ledger) if entry.outcome == "sent"}
        assert list(sent) == ["description", "refusal", "release", "scored"]
        assert sent["refusal"].code is Code.BASE_NEEDED  # which are then sent along
        assert (sent["release"].sha256, sent["release"].bytes) == (banked.sha256, banked.bytes)


def test_the_same_seed_gives_the_same_bank_and_counts(finished, config, weights, tmp_path):
    run, _ = finished
    order(config, tmp_path / "run", weights)
    run_campaign(tmp_path / "run", SerialClients(tmp_path / "run"))
    assert (tmp_path / "run" / RESULTS).read_bytes() == (run / RESULTS).read_bytes()


def test_a_server_killed_while_clients_tune_ends_with_the_same_numbers(finished, config, weights, tmp_path):
    run = tmp_path / "run"
    order(config, run, weights)

    class Killed(SerialClients):
        def exchange(self, payloads, seconds):
            for number, answer in enumerate(super().exchange(payloads, seconds)):
                if number == 1:
                    raise KeyboardInterrupt
                yield answer

    with pytest.raises(KeyboardInterrupt):
        run_campaign(run, Killed(run))
    order(config, run, weights, resume=True)
    clients = Counted(run)
    run_campaign(run, clients)
    assert (run / RESULTS).read_bytes() == (finished[0] / RESULTS).read_bytes()


def test_a_site_that_broke_down_is_named_and_its_own_log_says_why(config, weights, tmp_path, monkeypatch):
    run = tmp_path / "run"
    order(config, run, weights, plan="everyone")

    of_site = Dice(simulated_secret(config.seed, "Session2")).tuning(config.campaign_name(), "Session2")
    speech = Door(load_site(run / SITES / "Session2" / SITE)).speech

    def breaks(networks, patches, settings, seed, *others):
        if seed == derive_seed(of_site, speech):
            raise RuntimeError("the marker of utterance 17")
        return finetune(networks, patches, settings, seed, *others)

    monkeypatch.setattr("common.synthesizers.methods.eskimez.finetune", breaks)
    results = run_campaign(run, SerialClients(run))
    assert "Session2" not in results["sessions"]
    assert {failure["session"] for failure in results["failures"]} == {"Session2"}
    told = (run / RESULTS).read_text() + (run / EVENTS).read_text()
    assert "it failed at the site; the site's own log says why" in told
    assert "marker" not in told
    assert "the marker of utterance 17" in (run / SITES / "Session2" / "state" / "keeper.log").read_text()


def test_a_site_whose_files_are_gone_is_a_failure_with_a_line(config, weights, tmp_path):
    run = tmp_path / "run"
    order(config, run, weights, plan="everyone")
    (run / SITES / "Session3" / "policy.toml").unlink()
    results = run_campaign(run, SerialClients(run))
    assert results["sessions"] == [name for name in SESSIONS if name != "Session3"]
    assert "policy.toml" in results["failures"][0]["reason"]


def test_a_run_does_not_go_on_with_other_speech_or_other_networks(finished, config, weights, speech, tmp_path):
    """Nor is what it came to shown for them."""
    run = tmp_path / "run"
    shutil.copytree(finished[0], run)
    order(config, run, weights, resume=True)
    fewer = tmp_path / "speech"
    shutil.copytree(speech, fewer)
    *rows, _ = (fewer / "recordings.csv").read_text().splitlines()
    (fewer / "recordings.csv").write_text("\n".join(rows))
    elsewhere = config.model_copy(update={"runtime": config.runtime.model_copy(update={"corpus_root": str(fewer)})})
    with pytest.raises(UserErrors, match="speech: "):
        order(elsewhere, run, weights, resume=True)
    save_tensors(tmp_path / "weights", {"other": torch.zeros(1)}, {})
    with pytest.raises(UserErrors, match="weights: "):
        order(config, run, tmp_path / "weights", resume=True)


def test_a_corpus_of_one_session_is_refused_before_anything_begins(config, weights, tmp_path, speech):
    small = tmp_path / "speech"
    shutil.copytree(speech, small)
    rows = (small / "recordings.csv").read_text().splitlines()
    (small / "recordings.csv").write_text("\n".join(row for row in rows if "Session1" in row or row.startswith("path")))
    runtime = config.runtime.model_copy(update={"corpus_root": str(small)})
    with pytest.raises(UserError, match="one session only"):
        order(config.model_copy(update={"runtime": runtime}), tmp_path / "run", weights)
    assert not (tmp_path / "run").exists()
