"""A campaign's results are read back as they were written, or not at all."""

import json
import shutil

import pytest

from server.campaign import COUNTS, RESULTS
from server.outcome import read_counts, read_found

ROW = [1, 2, 3, 4]
MATRIX = [ROW] * 4


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Where the first test leaves its campaign to the others, which change what it wrote."""
    return tmp_path_factory.mktemp("kept") / "run"


@pytest.fixture
def run(request, kept, tmp_path):
    if not kept.exists():
        campaign_of, clients_of = map(request.getfixturevalue, ("campaign_of", "clients_of"))
        campaign_of(clients_of(2)).run(2)
        shutil.move(tmp_path / "run", kept)
    return shutil.copytree(kept, tmp_path / "run")


def rewritten(path, **changed):
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    return path


def test_what_was_written_is_read(run):
    found = read_found(run / RESULTS)
    assert (found.sessions, found.failures, found.quarantined) == (["A", "B"], [], [])
    assert read_counts(run / COUNTS / "everyone.json", 4).counts == found.folds[0].counts


@pytest.mark.parametrize(
    "changed",
    [{"schema": 2}, {"sessions": "AB"}, {"folds": {}}, {"folds": [{}]}, {"failures": [3]}, {"quarantined": None}],
    ids=str,
)
def test_other_results_are_not(run, changed):
    assert read_found(rewritten(run / RESULTS, **changed)) is None


@pytest.mark.parametrize(
    "counts",
    [3, {"A": MATRIX}, {"A": [MATRIX[:3]]}, {"A": [[ROW, ROW, ROW, ROW[:3]]]}, {"A": [[["1", 2, 3, 4]] * 4]}],
    ids=["a number", "one level less", "three rows", "three columns", "a word"],
)
def test_other_counts_are_not(run, counts):
    assert read_counts(rewritten(run / COUNTS / "everyone.json", counts=counts), 4) is None
    folds = json.loads((run / RESULTS).read_text())["folds"]
    assert read_found(rewritten(run / RESULTS, folds=[folds[0] | {"counts": counts}])) is None
