"""`eyesoff bootstrap` from the outside."""

import json

import pytest

from common.config import Config, FeatureConfig
from common.corpora import read_corpus
from common.settings import hash_identity
from common.wire import Card, Release
from server.bank import Bank
from simulations.cli import main

SETTINGS = {
    "recognizer.iterations": 2,
    "recognizer.batch": 2,
    "sampling.per_emotion": 4,
    "runtime.threads": 1,
    "runtime.workers": 1,
}


@pytest.fixture
def bank(tmp_path, release):
    """One generator, tuned on the usual features."""
    features = hash_identity(FeatureConfig().model_dump(mode="json"))
    tuning = release.card.tuning.model_copy(update={"features": features})
    bank = Bank(tmp_path / "bank")
    bank.add(Release(card=Card(tuning=tuning, utterances=None, seconds=3), released=release.released))
    return bank.folder


@pytest.fixture
def eyesoff(tmp_path, capsys):
    """Runs a bootstrap; the answer is its status, standard output and standard error."""

    def run(*words):
        settings = SETTINGS | {"runtime.cache": f'"{tmp_path / "cache"}"'}
        chosen = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        try:
            main(["bootstrap", *map(str, words), *chosen])
            status = 0
        except SystemExit as ended:
            status = ended.code or 0
        return status, *capsys.readouterr()

    return run


def test_a_bank_gives_a_recognizer(eyesoff, bank, tmp_path):
    status, told, progress = eyesoff("--bank", bank, "--run", tmp_path / "run")
    weights = tmp_path / "run" / "recognizers" / "everyone" / "weights"
    assert (status, told) == (0, f"recognizer: {weights}\nreport: {tmp_path / 'run' / 'report.html'}\n")
    assert (weights / "card.json").exists()
    assert "recognizer: from step 0 to 2" in progress


def test_its_scores_come_with_interval_and_n(eyesoff, bank, tmp_path, make_speech):
    corpus = make_speech(tmp_path / "speech")
    words = ("--bank", bank, "--run", tmp_path / "run", "--corpus", "table", "--root", corpus)
    status, told, _ = eyesoff(*words)
    assert status == 0
    assert "macro_f1 on table: 0." in told
    assert "n = 40" in told
    status, told, _ = eyesoff(*words, "--json")
    answer = json.loads(told)
    assert (answer["corpus"], answer["what"]) == ("table", "bootstrap")
    assert answer["modes"]["federated"]["accuracy"]["n"] == len(
        read_corpus("table", corpus, emotions=Config().corpus.emotions)
    )


def test_a_bank_that_is_not_there_is_a_line(eyesoff, tmp_path):
    status, told, complaint = eyesoff("--bank", tmp_path / "nowhere", "--run", tmp_path / "run")
    assert (status, told) == (2, "")
    assert complaint.startswith("error: the bank is empty: ")
    assert complaint.count("\n") == 1


def test_features_of_another_configuration_are_a_line(eyesoff, bank, tmp_path, make_speech):
    corpus = make_speech(tmp_path / "speech")
    words = ("--bank", bank, "--run", tmp_path / "run", "--corpus", "table", "--root", corpus)
    status, _, complaint = eyesoff(*words, "--set", "features.floor=1e-5")
    assert status == 2
    assert "error: the generators were tuned on other features" in complaint
