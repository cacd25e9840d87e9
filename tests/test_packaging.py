"""What is handed to others: one version everywhere, a citation, and a wheel that works where there is no checkout."""

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOOK = """
import common, sys
from common.config import PRESETS, load_config
from common.features.public import public_vectors
from common.training.pretrained import SHIPPED, shipped_weights
from common.version import commit
places = [str(shipped_weights(name)) for name in SHIPPED] + [common.__file__]
assert all(place.startswith(sys.prefix) for place in places), places
assert all(load_config(name).name == name for name in PRESETS)
assert len(public_vectors("functionals")) and not commit()
"""
"""That networks, presets and vectors come from the wheel."""


def test_the_citation_and_the_images_are_of_the_projects_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    assert citation["references"][0]["title"] == "GAN-based Data Generation for Speech Emotion Recognition"
    for name in ("docker-compose.yml", "containers/site.yml", "containers/Dockerfile"):
        assert set(re.findall(r"eyesoff/\w+:([\d.]+\d)", (ROOT / name).read_text())) == {PROJECT["version"]}


def test_the_changelog_has_a_dated_heading_for_the_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert f"\n## {PROJECT['version']} - {citation['date-released']}\n" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.slow
def test_a_wheel_runs_in_an_empty_environment(tmp_path):
    """Its dependencies are those of this environment, for they are gigabytes; nothing else of it can be imported."""
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [
            uv,
            "build",
            "--quiet",
            "--wheel",
            "--no-build-isolation",
            "--python",
            sys.executable,
            "--out-dir",
            tmp_path,
            ROOT,
        ],
        check=True,
    )
    (wheel,) = tmp_path.glob(f"eyesoff-{PROJECT['version']}-*.whl")
    home = tmp_path / "venv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, home], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--no-deps", "--python", home / "bin/python", wheel], check=True)
    (site,) = home.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    for words in (
        ["eyesoff", "--version"],
        ["eyesoff", "--help"],
        ["eyesoff", "demo", "--help"],
        ["python", "-c", LOOK],
    ):
        run = [str(home / "bin" / words[0]), *words[1:]]
        done = subprocess.run(run, cwd=tmp_path, env=clean, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        if words[-1] == "--version":
            assert done.stdout.split() == ["eyesoff", PROJECT["version"]]
