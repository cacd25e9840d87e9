"""`eyesoff bootstrap` from the outside."""

import json
from pathlib import Path

import pytest

from common.config import Config, FeatureConfig
from common.corpora import read_corpus
from common.recognizers.model import load_model
from common.settings import hash_identity
from common.wire import Card, Release
from server.bank import Bank
from server.export import export
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
    bank.add(
        Release(card=Card(tuning=tuning, known=(True,) * 4, utterances=None, seconds=3), released=release.released)
    )
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


@pytest.fixture
def undrawn(monkeypatch):
    """No report: to draw it takes longer than all else, and a test that is not about it need not."""
    monkeypatch.setattr("simulations.report.writing.write_report", lambda run: run / "report.html")


def test_a_bank_gives_a_recognizer(eyesoff, bank, blank_figures, tmp_path):
    status, told, progress = eyesoff("--bank", bank, "--run", tmp_path / "run")
    model = tmp_path / "run" / "recognizers" / "everyone" / "model"
    assert (status, told) == (0, f"model: {model}\nreport: {tmp_path / 'run' / 'report.html'}\n")
    assert load_model(model).card.labels == ("neutral", "angry", "sad", "happy")
    assert f"eyesoff recognize {model} RECORDING.wav" in progress
    assert "recognizer: from step 0 to 2" in progress


def test_its_scores_come_with_interval_and_n(eyesoff, bank, tmp_path, make_speech, blank_figures):
    corpus = make_speech(tmp_path / "speech")
    words = ("--bank", bank, "--run", tmp_path / "run", "--corpus", "table", "--root", corpus)
    status, told, _ = eyesoff(*words)
    assert status == 0
    assert "macro_f1 on table: 0." in told
    assert "n = 40" in told
    status, told, _ = eyesoff(*words, "--json")
    answer = json.loads(told)
    assert (answer["corpus"], answer["what"]) == ("table", "bootstrap")
    told = len(read_corpus("table", corpus, emotions=Config().corpus.emotions))
    assert answer["modes"]["federated"]["accuracy"]["n"] == told
    page = (Path(answer["model"]) / "README.md").read_text()
    assert page.count("| table | macro_f1 |") == 1


def test_an_exported_zip_gives_the_same_recognizer(eyesoff, bank, undrawn, tmp_path):
    export(Bank(bank), tmp_path / "bank.zip")
    assert eyesoff("--bank", bank, "--run", tmp_path / "run")[0] == 0
    assert eyesoff("--bank", tmp_path / "bank.zip", "--run", tmp_path / "other")[0] == 0
    place = Path("recognizers/everyone/model/tensors.safetensors")
    assert (tmp_path / "run" / place).read_bytes() == (tmp_path / "other" / place).read_bytes()


def test_a_bank_that_is_not_there_is_a_line(eyesoff, tmp_path):
    status, told, complaint = eyesoff("--bank", tmp_path / "nowhere", "--run", tmp_path / "run")
    assert (status, told) == (2, "")
    assert complaint.startswith("error: no such bank: ")
    assert complaint.count("\n") == 1


def test_nothing_is_written_over(eyesoff, bank, undrawn, tmp_path):
    words = ("--bank", bank, "--run", tmp_path / "run")
    assert eyesoff(*words)[0] == 0
    status, told, complaint = eyesoff(*words, "--set", "seed=1")
    assert (status, told, complaint.count("\n")) == (2, "", 1)
    assert complaint.startswith("error: a recognizer of other generators or settings is here already: ")
    assert complaint.endswith("; choose another --run\n")


def test_a_bank_of_vectors_needs_no_preset_either(eyesoff, vector_release, undrawn, tmp_path):
    Bank(tmp_path / "bank").add(vector_release)
    status, _, complaint = eyesoff("--bank", tmp_path / "bank", "--run", tmp_path / "run")
    assert status == 0, complaint
    assert load_model(tmp_path / "run" / "recognizers" / "everyone" / "model").card.recognizer == "svm"


def test_what_cannot_read_a_bank_is_refused_in_a_line(eyesoff, vector_release, tmp_path):
    Bank(tmp_path / "bank").add(vector_release)
    status, _, complaint = eyesoff("--bank", tmp_path / "bank", "--run", tmp_path / "run", "--preset", "demo")
    assert (status, complaint.count("\n")) == (2, 1)
    assert "the recognizer cnn reads patches" in complaint
