"""What was said of each utterance adds up to the scores."""

from collections import Counter

import pytest
from pyarrow import parquet

from simulations import api
from simulations.comparison.predictions import PREDICTIONS, TOLD


@pytest.fixture(scope="module")
def run(config, weights, speech, tmp_path_factory):
    """A comparison of the real mode on one fold."""
    run = tmp_path_factory.mktemp("run")
    session = api.read_corpus("table", speech).sessions[0]
    return run, api.compare(config, run, modes=["real"], folds=[session], base=weights, workers=0), session


def test_each_utterance_of_the_fold_is_a_row_and_the_rows_add_up_to_the_counts(run):
    folder, results, session = run
    rows = parquet.read_table(folder / PREDICTIONS).to_pylist()
    assert len({row["path"] for row in rows}) == len(rows) == 8
    assert {(row["mode"], row["fold"], row["seed"]) for row in rows} == {("real", session, 0)}
    labels = results["labels"]
    for row in rows:
        odds = [row[f"p_{label}"] for label in labels]
        assert sum(odds) == pytest.approx(1, abs=1e-4)
        assert row[f"p_{row['predicted']}"] == max(odds)
    (counts,) = results["counts"]["real"].values()
    for speaker, matrix in counts[session].items():
        said = Counter((row["emotion"], row["predicted"]) for row in rows if row["speaker"] == speaker)
        assert matrix == [[said[true, predicted] for predicted in labels] for true in labels]


def test_a_unit_of_a_version_that_kept_none_is_left_out(run, config, weights):
    folder, _, session = run
    (told,) = folder.glob(f"units/score/*/{TOLD}")
    kept = told.read_bytes()
    told.unlink()
    (folder / PREDICTIONS).unlink()
    api.compare(config, folder, modes=["real"], folds=[session], base=weights, workers=0)
    assert not (folder / PREDICTIONS).exists()
    told.write_bytes(kept)
