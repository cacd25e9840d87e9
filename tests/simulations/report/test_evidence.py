"""Evidence that is broken in one place is shown in all others."""

import json
import shutil

import pytest

from simulations.report.evidence import Evidence
from simulations.report.leaving import leaving_table


@pytest.fixture
def run(built, tmp_path):
    shutil.copytree(built.folder / "evidence", tmp_path / "run" / "evidence")
    return tmp_path / "run"


def test_modes_come_in_the_order_that_is_asked_for(run):
    found = Evidence.read(run, ["real", "floor", "federated", "centralized"])
    assert list(found.patches) == list(found.embeddings) == ["real", "floor", "federated"]
    assert found.missing == ()


@pytest.mark.parametrize("content", [None, b"torn"])
def test_an_array_file_that_is_gone_or_torn_is_named_and_the_rest_is_read(run, content):
    file = run / "evidence" / "patches.safetensors"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    found = Evidence.read(run, ["real"])
    assert found.missing == ("evidence/patches.safetensors is not there or cannot be read",)
    assert found.curves
    assert found.ledgers


def test_evidence_of_another_version_is_left_out_and_named(run):
    index = run / "evidence" / "index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"schema": 7}))
    assert Evidence.read(run, ["real"]).missing == ("evidence of schema 7, not 1",)


def test_a_ledger_that_somebody_changed_is_told_of(run):
    ledger = run / "evidence" / "ledgers" / "tune-b.jsonl"
    ledger.write_text(ledger.read_text().replace('"tune"', '"hush"'))
    ((*_, chain),) = leaving_table(Evidence.read(run, ["real"]).ledgers).rows
    assert "does not follow from the entry before it" in chain.value
