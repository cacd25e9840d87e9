"""The paper's promise: when speech, sites and clients are gone, the bank alone makes a recognizer that works."""

import json
import shutil

import pytest
import torch

from client.simulated import SITES
from common.config import Config, CorpusConfig, NetworkConfig
from common.corpora import read_corpus
from common.errors import UserError, UserErrors
from common.features.scaling import Scaling
from common.recognizers.model import load_model
from common.training.phases import Interrupted
from common.training.pretrained import save_pretrained
from common.training.reporters import Reporter
from common.training.stages import Pair
from server.bank import Bank
from server.bootstrap import bootstrap
from server.pretraining import pretraining_identity
from server.recognizers import Recognizers
from server.requests import Requests
from server.run import run_campaign
from simulations.comparison.bootstrapped import bootstrapped
from simulations.comparison.schema import read_results
from simulations.federation.campaign import order
from simulations.federation.serial import SerialClients

OTHER = Config().features.model_copy(update={"floor": 1e-5})


def never():
    return False


@pytest.fixture
def small(config, tmp_path):
    """The smallest campaign, on a corpus of its own."""
    runtime = config.runtime.model_copy(update={"corpus_root": str(tmp_path / "speech"), "cache": str(tmp_path / "c")})
    corpus = config.corpus.model_copy(update={"name": "table"})
    return config.model_copy(update={"corpus": corpus, "runtime": runtime})


def test_a_bank_makes_a_recognizer_when_everything_else_is_gone(small, make_speech, tmp_path):
    make_speech(tmp_path / "speech")
    save_pretrained(
        tmp_path / "weights",
        Pair.fresh(small.network, small.corpus.classes, small.seed),
        Scaling(-16.0, 4.0),
        pretraining_identity(small),
        {},
    )
    run = tmp_path / "run"
    order(small, run, tmp_path / "weights", plan="everyone")
    (fold,) = run_campaign(run, SerialClients(run))["folds"]
    trained_then = Recognizers(run, small, Bank(run / "bank")).load("everyone")

    shutil.copytree(run / "bank", tmp_path / "bank")
    for gone in (run, tmp_path / "speech", tmp_path / "weights"):
        shutil.rmtree(gone)
    assert not list(tmp_path.rglob("*.wav"))
    assert not list(tmp_path.rglob(SITES))

    bank = Bank(tmp_path / "bank")
    weights = bootstrap(small, bank, tmp_path / "bootstrapped", Reporter(), never)
    trained_now = Recognizers(tmp_path / "bootstrapped", small, bank).load("everyone")
    assert weights.is_relative_to(tmp_path / "bootstrapped")
    assert all(torch.equal(trained_now[name], value) for name, value in trained_then.items())

    make_speech(tmp_path / "speech")
    speech = read_corpus("table", tmp_path / "speech")
    results = bootstrapped(small, bank, tmp_path / "bootstrapped", weights, speech)
    scores = results.modes["federated"].scores
    counts = torch.tensor([matrix for matrices in fold["counts"].values() for matrix in matrices])
    assert scores["accuracy"].n == counts.sum() == 40
    assert scores["accuracy"].mean == pytest.approx(float(counts.sum(dim=0).trace()) / 40)
    assert speech.sessions == tuple(fold["test"])
    assert [one.n for one in load_model(weights).card.scores] == [40, 40, 40]
    assert read_results(tmp_path / "bootstrapped") == results


@pytest.fixture
def bank(tmp_path):
    return Bank(tmp_path / "bank")


@pytest.fixture
def fill(bank, config, base, client_of):
    """Put a generator of a session into the bank, tuned under settings that differ in what is given."""

    def put(session, run="run", **changed):
        requests = Requests(run, config.model_copy(update=changed), base, per_speaker=False)
        return bank.add(client_of(session).say(requests.tune("0", session).request))

    return put


def test_generators_of_several_runs_go_together(bank, fill, config, tmp_path):
    banked = [fill("A", run) for run in ("one", "two")]
    weights = bootstrap(config, bank, tmp_path / "run", Reporter(), never)
    card = json.loads((weights / "card.json").read_text())
    assert card["identity"]["releases"] == [one.name for one in banked]
    assert not (tmp_path / "run" / "pool").exists()


def test_the_networks_are_those_of_the_bank_whatever_the_configuration_says(bank, fill, config, tmp_path):
    fill("A")
    other = config.model_copy(update={"network": NetworkConfig(width=1 / 32)})
    bootstrap(other, bank, tmp_path / "other", Reporter(), never)
    bootstrap(config, bank, tmp_path / "run", Reporter(), never)
    one, two = (Recognizers(tmp_path / name, config, bank).load("everyone") for name in ("other", "run"))
    assert all(torch.equal(one[name], value) for name, value in two.items())


def test_an_empty_bank_is_named(bank, config, tmp_path):
    with pytest.raises(UserError, match="the bank is empty") as caught:
        bootstrap(config, bank, tmp_path / "run", Reporter(), never)
    assert str(bank.folder) in str(caught.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"network": NetworkConfig(width=1 / 64, noise=9)}, "settings"),
        ({"corpus": CorpusConfig(emotions=("angry", "neutral", "sad", "happy"))}, "labels"),
        ({"features": Config().features.model_copy(update={"floor": 1e-5})}, "features"),
    ],
    ids=["size", "label order", "features"],
)
def test_generators_that_do_not_go_together_are_named(bank, fill, config, tmp_path, changed, what):
    fill("A")
    fill("B")
    odd = fill("C", **changed)
    with pytest.raises(UserErrors, match="generators that do not go together") as caught:
        bootstrap(config, bank, tmp_path / "run", Reporter(), never)
    assert caught.value.problems == (f"{odd.name}: {what} differs from that of {bank.banked()[0].name}",)


def test_the_features_are_those_of_the_bank_whatever_the_configuration_says(bank, fill, config, tmp_path):
    fill("A")
    other = config.model_copy(update={"features": OTHER})
    card = load_model(bootstrap(other, bank, tmp_path / "run", Reporter(), never)).card
    assert card.features == config.features


def test_unusual_features_are_found_in_the_configuration_or_the_bank_is_refused(bank, fill, config, tmp_path):
    fill("A", features=OTHER)
    with pytest.raises(UserError, match="releases of features that are unknown here"):
        bootstrap(config, bank, tmp_path / "run", Reporter(), never)
    other = config.model_copy(update={"features": OTHER})
    assert load_model(bootstrap(other, bank, tmp_path / "run", Reporter(), never)).card.features == OTHER


def test_its_model_needs_no_bank_and_no_configuration(bank, fill, config, base, tmp_path):
    banked = [fill(session) for session in "AB"]
    card = load_model(bootstrap(config, bank, tmp_path / "run", Reporter(), never)).card
    assert card.sources == tuple(one.name for one in banked)
    assert (card.labels, card.scaling) == (config.corpus.emotions, base.scaling)
    assert "2 released generators (eskimez)" in card.trained_on
    assert f"configuration {config.name}, identity " in card.trained_on
    assert card.trained_on.endswith(f", seed {config.seed}")


def test_the_same_line_again_leaves_the_model_as_it_is(bank, fill, config, tmp_path):
    fill("A")
    model = bootstrap(config, bank, tmp_path / "run", Reporter(), never)
    before = {path.name: path.stat().st_mtime_ns for path in model.iterdir()}
    assert bootstrap(config, bank, tmp_path / "run", Reporter(), never) == model
    assert {path.name: path.stat().st_mtime_ns for path in model.iterdir()} == before


def test_nothing_is_written_over_a_model_of_other_settings_or_generators(bank, fill, config, tmp_path):
    fill("A")
    model = bootstrap(config, bank, tmp_path / "run", Reporter(), never)
    before = (model / "tensors.safetensors").read_bytes()
    longer = config.model_copy(update={"recognizer": config.recognizer.model_copy(update={"iterations": 3})})
    with pytest.raises(UserError, match="a recognizer of other generators or settings is here already"):
        bootstrap(longer, bank, tmp_path / "run", Reporter(), never)
    fill("B")
    with pytest.raises(UserError, match="choose another --run"):
        bootstrap(config, bank, tmp_path / "run", Reporter(), never)
    assert (model / "tensors.safetensors").read_bytes() == before


def test_a_damaged_model_is_not_written_over_either(bank, fill, config, tmp_path):
    fill("A")
    model = bootstrap(config, bank, tmp_path / "run", Reporter(), never)
    (model / "tensors.safetensors").write_bytes(b"half")
    with pytest.raises(UserError, match="choose another --run"):
        bootstrap(config, bank, tmp_path / "run", Reporter(), never)


def test_where_another_training_has_begun_none_begins(bank, fill, config, tmp_path):
    fill("A")
    with pytest.raises(Interrupted):
        bootstrap(config, bank, tmp_path / "run", Reporter(), lambda: True)
    other = config.model_copy(update={"seed": 1})
    with pytest.raises(UserError, match="another training has begun here"):
        bootstrap(other, bank, tmp_path / "run", Reporter(), never)
    bootstrap(config, bank, tmp_path / "run", Reporter(), never)
