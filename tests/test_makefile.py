"""`make` explains itself and does nothing twice."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split())

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(*words: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *words], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", [[], ["help"]], ids=["alone", "help"])
def test_help_explains_every_target(words: list[str]) -> None:
    explained = dict(re.findall(r"^  make (\S+) +(\S.*)$", make(*words).stdout, re.MULTILINE))
    assert set(explained) == TARGETS >= {"install", "demo", "test", "lint"}


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """The files that an installation looks at, nothing installed."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_what_is_installed_is_not_installed_again_until_the_lock_changes(fresh: Path) -> None:
    assert "pip sync" in make("--dry-run", "test", folder=fresh).stdout
    (fresh / ".venv").mkdir()
    installed = fresh / ".venv" / ".installed"
    installed.touch()
    os.utime(fresh / "requirements.lock", (now := installed.stat().st_mtime, now - 10))
    os.utime(fresh / "pyproject.toml", (now, now - 10))
    assert "pip sync" not in make("--dry-run", "test", folder=fresh).stdout
    os.utime(fresh / "requirements.lock", (now, now + 10))  # a touch may fall into the same tick of the clock
    assert "pip sync" in make("--dry-run", "test", folder=fresh).stdout


def test_an_old_python_is_told_in_one_line(fresh: Path) -> None:
    old = fresh / "old-python"
    old.write_text('#!/bin/sh\nexec python3 -c "import sys; sys.version_info = (3, 9, 1); exec(sys.argv[1])" "$2"\n')
    old.chmod(0o755)
    done = make("install", f"PYTHON={old}", folder=fresh)
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == ("error: Python 3.9 is too old; name a newer one: make PYTHON=python3.12 ...")


@pytest.fixture
def land(tmp_path: Path) -> Callable[[int], subprocess.CompletedProcess[str]]:
    """A function that runs `.ci/run` with a make that says what it is asked for, and ends its tests with a status."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")

    def run(status: int) -> subprocess.CompletedProcess[str]:
        end = f'[ "$1" = lint ] || {{ echo "=== 3 passed in 1.20s ==="; echo "make: done"; exit {status}; }}'
        (tmp_path / "make").write_text(f'#!/bin/sh\necho "asked for $1"\n{end}\n')
        (tmp_path / "make").chmod(0o755)
        path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
        words = [tmp_path / ".ci" / "run"]
        return subprocess.run(words, env={"PATH": path}, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize("status", [0, 2])
def test_what_lands_is_linted_and_tested_and_its_last_lines_say_how_that_ended(land, status: int) -> None:
    done = land(status)
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("asked")] == ["asked for lint", "asked for test"]
    assert re.fullmatch(r"installation, lint and tests took \d+ s", lines[-2])
    assert lines[-1] == "=== 3 passed in 1.20s ==="
    assert done.returncode == status
