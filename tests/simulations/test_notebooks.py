"""The notebooks are what their pages say, and run from the first cell to the last with no network."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulations import notebooks

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
ALONE = "import socket\ndef refused(*_): raise OSError('no network here')\nsocket.socket.connect = refused\n"


def code_of(notebook: Path) -> str:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def test_there_is_one_for_each_thing_that_a_researcher_does():
    assert [path.stem for path in FILES] == ["add-synthesizer", "bank-without-data", "paper-table"]


@pytest.mark.parametrize("notebook", FILES, ids=lambda path: path.stem)
def test_a_notebook_is_what_its_page_says_without_outputs(notebook):
    assert notebook.read_bytes() == notebooks.as_notebook(notebook.with_suffix(".md").read_text("utf-8"))
    told = json.loads(notebook.read_text("utf-8"))
    assert all(cell["outputs"] == [] for cell in told["cells"] if cell["cell_type"] == "code")
    assert len(notebook.read_bytes()) < 10_000


@pytest.mark.parametrize("notebook", FILES, ids=lambda path: path.stem)
def test_a_notebook_asks_for_nothing_but_the_api(notebook):
    imported = {
        name
        for node in ast.walk(ast.parse(code_of(notebook)))
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [])
        + ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [])
    }
    assert imported <= {"simulations", "pathlib", "sys"}


def test_a_page_that_changed_is_written_anew_and_no_other(tmp_path):
    (tmp_path / "one.md").write_text("# One\n\n```python\nprint(1)\n```\n")
    (tmp_path / "two.md").write_text("# Two\n")
    notebooks.write(tmp_path)
    before = (tmp_path / "two.ipynb").stat().st_mtime_ns
    (tmp_path / "one.md").write_text("# One\n\n```python\nprint(2)\n```\n")
    notebooks.write(tmp_path)
    assert "print(2)" in (tmp_path / "one.ipynb").read_text()
    assert (tmp_path / "two.ipynb").stat().st_mtime_ns == before


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("notebook", FILES, ids=lambda path: path.stem)
def test_a_notebook_runs(notebook, tmp_path):
    (tmp_path / "notebook.py").write_text(ALONE + code_of(notebook))
    done = subprocess.run(
        [sys.executable, "notebook.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
