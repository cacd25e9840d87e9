"""A comparison writes its recognizers as models on request; each hears what it was scored by."""

from pyarrow import parquet
from pytest import approx

from simulations import api
from simulations.comparison.predictions import PREDICTIONS


def test_each_recognizer_is_a_model_that_says_what_it_was_scored_by(config, weights, speech, tmp_path):
    session = api.read_corpus("table", speech).sessions[0]
    chosen = {"modes": ["real"], "folds": [session], "base": weights, "workers": 0}
    api.compare(config, tmp_path / "run", **chosen)
    assert not (tmp_path / "run" / "models").exists()
    api.compare(config, tmp_path / "run", **chosen, models=True)
    (folder,) = (tmp_path / "run" / "models" / "real").glob("*-seed0/model")
    recognizer = api.Recognizer.load(folder)
    assert session not in recognizer.card.sources
    assert [one.n for one in recognizer.card.scores] == [8, 8, 8]
    rows = parquet.read_table(tmp_path / "run" / PREDICTIONS).to_pylist()
    for row in rows[:3]:
        heard = recognizer.recognize(speech / row["path"])
        assert heard.probabilities == approx([row[f"p_{label}"] for label in recognizer.labels], abs=1e-5)
