"""The Python surface, as a researcher uses it: from a corpus to a recognizer that listens."""

import inspect
import subprocess
import sys

import numpy as np
import pytest

from common.corpora.builtin import example, making
from common.errors import UserError
from simulations import api


def test_it_has_a_dozen_names_each_explained_and_typed():
    assert len(api.__all__) == 12
    for name in api.__all__:
        value = getattr(api, name)
        assert value.__doc__
        for function in [value] if inspect.isfunction(value) else []:
            hints = function.__annotations__
            assert {"return", *inspect.signature(function).parameters} <= hints.keys()


def test_importing_it_brings_nothing_heavy():
    heavy = {"torch", "numpy", "scipy", "librosa", "pydantic", "matplotlib", "pyarrow", "flwr", "ray"}
    code = f"import sys, simulations.api; print(*sorted({heavy} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == []


def test_a_corpus_its_features_and_a_comparison(config, speech, weights, blank_figures, tmp_path):
    corpus = api.read_corpus("table", speech)
    assert len(api.features(corpus, config)) == len(corpus) == 40
    assert api.features(corpus, config, "vectors").raw.shape[0] == 40
    results = api.compare(config, tmp_path / "run", modes=["real"], folds=corpus.sessions[:1], base=weights, workers=0)
    assert list(results["modes"]) == ["real"]
    assert api.write_report(tmp_path / "run") == tmp_path / "run" / "report.html"


def test_examples_and_the_methods_of_every_kind(tmp_path, monkeypatch):
    monkeypatch.setattr(example, "RECIPE", making.Recipe(utterances_per_cell=1))
    assert len(api.read_corpus("table", api.example_recordings(tmp_path / "recordings"))) == 40
    assert list(api.methods()) == ["synthesizers", "recognizers", "protocols"]
    assert "leave-one-session-out" in api.methods()["protocols"]


def test_a_campaign_a_bank_and_a_recognizer_that_listens(config, speech, weights, blank_figures, tmp_path):
    results = api.simulate(config, tmp_path / "run", base=weights, backend="serial", plan="everyone", real=False)
    assert results["corpus"] == "table"
    api.Bank(tmp_path / "run" / "bank").export(tmp_path / "bank.zip")
    bank = api.Bank(tmp_path / "bank.zip")
    assert len(bank.releases()) == 5
    assert bank.verify() == ()
    drawn = bank.draw(5)
    assert len(drawn) == 20
    assert bank.write(drawn, tmp_path / "drawn") == tmp_path / "drawn" / "training-seed0.npz"
    assert len(api.read_corpus("table", tmp_path / "drawn")) == 20
    told = bank.audit(config, samples=256)
    assert (0 <= told.found.auc <= 1, told.members, told.strangers) == (True, 40, 0)

    recognizer = bank.bootstrap(tmp_path / "later", config)
    corpus = api.read_corpus("table", speech)
    heard = recognizer.recognize(speech / corpus.utterances[0].path, windows=True)
    assert heard.emotion in recognizer.labels
    np.testing.assert_allclose(sum(heard.probabilities), 1)
    again = api.Recognizer.load(recognizer.folder)
    assert again.recognize(speech / corpus.utterances[0].path).probabilities == heard.probabilities
    assert again.card.trained_on.startswith("6 samples an emotion of 5 released generators")


def test_a_release_is_removed_and_damage_is_found(release_file):
    bank = api.Bank(release_file.parent)
    (first,) = bank.releases()
    with pytest.raises(UserError, match="no such release"):
        bank.remove(first.name, "nobody")
    content = release_file.read_bytes()
    release_file.write_bytes(b"cut")
    assert [one.name for one in bank.verify()] == [first.name]
    release_file.write_bytes(content)
    assert bank.verify() == ()
    bank.remove(first.name)
    assert bank.releases() == ()


def test_public_networks_are_made_from_unlabelled_speech(config, speech, tmp_path):
    shapes = {stage: {"iterations": 2, "batch": 2} for stage in ("autoencoder", "adversarial")}
    pretraining = {"corpus": "table", **shapes}
    small = type(config).model_validate(config.model_dump() | {"pretraining": pretraining})
    assert (api.pretrain(small, speech, tmp_path / "run") / "tensors.safetensors").is_file()


def test_a_mistake_is_one_line(tmp_path):
    with pytest.raises(UserError, match="no such model"):
        api.Recognizer.load(tmp_path / "nowhere")
    with pytest.raises(UserError, match="no such bank"):
        api.Bank(tmp_path / "nowhere").draw(1)
    with pytest.raises(UserError, match="no such corpus"):
        api.read_corpus("emo-db")
