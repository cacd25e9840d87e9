"""What a results file says of the code that made it."""

import shutil
import subprocess

import pytest

from common.version import commit


@pytest.fixture
def checkout(tmp_path):
    """A checkout of one file."""
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    settings = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"]
    (tmp_path / "a.py").write_text("1")
    for words in (["init", "-q"], ["add", "a.py"], [*settings, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    return tmp_path


def test_a_checkout_tells_its_commit_and_whether_it_was_changed(checkout):
    shown = subprocess.run(
        ["git", "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    )
    assert commit(checkout) == shown.stdout[:12]
    commit.cache_clear()
    (checkout / "a.py").write_text("2")
    assert commit(checkout) == f"{shown.stdout[:12]}-dirty"


def test_what_is_no_checkout_has_none_though_it_lies_in_one(checkout):
    (checkout / "inside").mkdir()
    assert commit(checkout / "inside") == ""
