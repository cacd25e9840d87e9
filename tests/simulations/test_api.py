"""The Python surface, as a researcher uses it: from a corpus to a recognizer that listens."""

import inspect
import subprocess
import sys

import numpy as np
import pytest

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


def test_a_corpus_its_features_and_a_comparison(config, speech, weights, tmp_path):
    corpus = api.read_corpus("table", speech)
    assert len(api.features(corpus, config)) == len(corpus) == 40
    assert api.features(corpus, config, "vectors").raw.shape[0] == 40
    results = api.compare(config, tmp_path / "run", modes=["real"], folds=corpus.sessions[:1], base=weights, workers=0)
    assert list(results["modes"]) == ["real"]
    assert api.write_report(tmp_path / "run") == tmp_path / "run" / "report.html"


def test_a_campaign_a_bank_and_a_recognizer_that_listens(config, speech, weights, tmp_path):
    results = api.simulate(config, tmp_path / "run", base=weights, backend="serial", plan="everyone", real=False)
    assert results["corpus"] == "table"
    bank = tmp_path / "run" / "bank"
    with api.open_bank(bank) as opened:
        assert len(opened.banked()) == 5
    assert len(api.draw(bank, 5)) == 20

    recognizer = api.bootstrap(bank, tmp_path / "later", config)
    corpus = api.read_corpus("table", speech)
    heard = recognizer.recognize(speech / corpus.utterances[0].path, windows=True)
    assert heard.emotion in recognizer.labels
    np.testing.assert_allclose(sum(heard.probabilities), 1)
    again = api.Recognizer.load(recognizer.folder)
    assert again.recognize(speech / corpus.utterances[0].path).probabilities == heard.probabilities
    assert again.card.trained_on.startswith("6 samples an emotion of 5 released generators")


def test_a_mistake_is_one_line(tmp_path):
    with pytest.raises(UserError, match="no such model"):
        api.Recognizer.load(tmp_path / "nowhere")
    with pytest.raises(UserError, match="no such bank"):
        api.draw(tmp_path / "nowhere", 1)
    with pytest.raises(UserError, match="no such corpus"):
        api.read_corpus("emo-db")
