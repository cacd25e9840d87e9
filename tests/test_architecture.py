"""The house keeps its shape: imports point down, rooms keep their names, no file names a registry."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
PACKAGES = ("client", "common", "server", "simulations")
ROOMS = {*PACKAGES, "tests", "results", "containers", "docs", ".ci"}


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LINT_IMPORTS, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


def tracked() -> list[str]:
    """What git tracks; nothing in an unpacked archive, where these questions have no meaning."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.strip("\0").split("\0")


def test_imports_point_down_and_flower_stays_at_the_edge() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("common/seeds.py", "import server", "Imports point down"),
        ("common/errors.py", "import simulations", "Imports point down"),
        ("client/__init__.py", "import server", "Imports point down"),
        ("server/__init__.py", "import client", "Imports point down"),
        ("common/files.py", "import flwr", "Flower and Ray stay at the edge"),
        ("server/__init__.py", "import ray", "Flower and Ray stay at the edge"),
        ("simulations/steward/month.py", "import server", "What a steward types needs no more"),
    ],
)
def test_an_import_in_the_wrong_direction_is_found(module: str, line: str, contract: str, tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a") as file:
        file.write(f"\n{line}\n")
    done = lint_imports(tmp_path)
    assert done.returncode == 1
    assert re.search(f"{contract}.* BROKEN", done.stdout)


def test_top_level_rooms_keep_their_names() -> None:
    assert {path.split("/")[0] for path in tracked() if "/" in path} <= ROOMS


def test_the_lock_holds_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    names = [line for line in lock.splitlines() if line[:1].isalnum()]
    assert len(names) > 100
    assert all("==" in line and line.endswith("\\") for line in names)
    assert "://" not in lock


def test_no_file_names_a_package_registry() -> None:
    hosts = [".".join(name) for name in (("pypi", "org"), ("pythonhosted", "org"))]
    texts = [
        ROOT / path for path in tracked() if (ROOT / path).suffix in {"", ".lock", ".md", ".toml", ".yaml", ".yml"}
    ]
    assert texts
    assert [path for path in texts if any(host in path.read_text(errors="ignore") for host in hosts)] == []
