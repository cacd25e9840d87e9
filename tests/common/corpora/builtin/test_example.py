"""The example is a corpus of the layout `table`, as a person's own recordings would be."""

import pytest

from common.corpora import read_corpus
from common.corpora.builtin import example, making, write_example
from common.errors import UserError


@pytest.fixture
def quick(monkeypatch):
    """One utterance a cell."""
    monkeypatch.setattr(example, "RECIPE", making.Recipe(utterances_per_cell=1))


def test_it_is_read_as_a_table(quick, tmp_path):
    table = write_example(tmp_path / "recordings")
    corpus = read_corpus("table", table)
    assert len(corpus) == 40
    assert len(corpus.speakers) == 10
    assert len(corpus.sessions) == 5


def test_what_is_there_stays_and_a_folder_of_other_things_is_refused(quick, tmp_path):
    table = write_example(tmp_path / "recordings")
    time = (table.parent / "Session1").stat().st_mtime_ns
    assert write_example(table.parent) == table
    assert (table.parent / "Session1").stat().st_mtime_ns == time
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").touch()
    with pytest.raises(UserError, match="choose an empty one"):
        write_example(tmp_path / "other")
