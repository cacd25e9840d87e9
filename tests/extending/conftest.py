"""The example package, installed beside eyesoff by the commands of CONTRIBUTING.md, and eyesoff run with it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from common.config import Config
from common.config.showing import as_toml
from common.corpora.builtin import generate
from common.features.scaling import Scaling
from common.settings import NetworkConfig
from common.training.pretrained import save_pretrained
from common.training.stages import Pair
from server.pretraining import pretraining_identity

ROOT = Path(__file__).parents[2]
EXAMPLE = Path(__file__).parent / "example"
NETWORK = NetworkConfig(width=1 / 64, noise=8)
SETTINGS = """
[templates]
batches = 2
noise = 0.25

[nearest]
batches = 2
"""


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """The folder into which the example is installed, as CONTRIBUTING.md says."""
    folder = tmp_path_factory.mktemp("extending")
    shutil.copytree(EXAMPLE, folder / "my-methods", ignore=shutil.ignore_patterns("__pycache__"))
    section = (ROOT / "CONTRIBUTING.md").read_text().split("## A method of your own")[1].split("\n## ")[0]
    (line,) = re.findall(r"^pip install .*$", section, re.MULTILINE)
    words = line.split()[2:]
    assert words[-1] == "./my-methods"
    beside = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", str(folder / "site")]
    subprocess.run([sys.executable, "-m", "pip", "install", *beside, *words], cwd=folder, check=True)
    return folder / "site"


@pytest.fixture(scope="session")
def eyesoff(installed):
    """A function that runs a Python module or script with the example installed; the answer is what it printed."""

    def run(*words, code=0):
        path = os.pathsep.join([str(installed), str(ROOT)])
        done = subprocess.run(
            [sys.executable, *map(str, words)],
            env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200", "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done

    return run


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """Three sessions in the example's own layout."""
    folder = tmp_path_factory.mktemp("pairs")
    made = generate(tmp_path_factory.mktemp("speech"), utterances_per_cell=1)
    for one in made.utterances:
        session = f"s{made.sessions.index(one.session)}"
        if session < "s3":
            shutil.copy(made.root / one.path, folder / f"{session}-{one.speaker}-{one.emotion}-1.wav")
    return folder


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """Networks of the smallest width, on which every run stands."""
    folder, small = tmp_path_factory.mktemp("base"), Config(network=NETWORK)
    pair = Pair.fresh(small.network, small.corpus.classes, small.seed)
    save_pretrained(folder, pair, Scaling(-16.0, 4.0), pretraining_identity(small), {})
    return folder


@pytest.fixture(scope="session")
def settings(corpus, tmp_path_factory):
    """A configuration of all that the example brings, each with its own section."""
    runtime = {"corpus_root": str(corpus), "cache": str(tmp_path_factory.mktemp("cache")), "device": "cpu"}
    config = Config.model_validate(
        {
            "corpus": {"name": "pairs"},
            "methods": {"synthesizer": "templates", "recognizer": "nearest", "protocol": "halves"},
            "network": NETWORK,
            "sampling": {"per_emotion": 6},
            "runtime": {**runtime, "precision": "fp32", "threads": 1, "workers": 1},
        }
    )
    file = tmp_path_factory.mktemp("settings") / "example.toml"
    file.write_text(as_toml(config) + SETTINGS)
    return file
