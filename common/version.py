"""The version of eyesoff, read from what is installed, so that it is written once, and the commit of a checkout."""

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def _installed() -> str:
    try:
        return version("eyesoff")
    except PackageNotFoundError:  # run from a Flower bundle, which installs no metadata
        return "0"


VERSION = _installed()


@cache
def commit(root: Path = ROOT) -> str:
    """The commit of the checkout that runs, with `-dirty` where it was changed; nothing where it is none."""
    if not (root / ".git").exists():  # an installed package may lie below a checkout of something else
        return ""
    words = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
