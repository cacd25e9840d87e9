"""What a shell is told at a TAB, and that it is told at once."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from click import Context

from simulations import completion
from simulations.cli import app


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "eyesoff" / completion.KEPT


def completed(command: str, option: str, incomplete: str) -> list[str]:
    """What a shell is told after these words."""
    one = typer.main.get_command(app)
    for word in command.split():
        one = one.commands[word]
    (parameter,) = (parameter for parameter in one.params if option in (*parameter.opts, parameter.name))
    return [item.value for item in parameter.shell_complete(Context(one), incomplete)]


@pytest.mark.parametrize(
    ("command", "option", "incomplete", "words"),
    [
        ("compare", "--preset", "em", ["emodb"]),
        ("simulate", "--corpus", "rav", ["ravdess"]),
        ("bootstrap", "--corpus", "audio", ["audiofolder"]),
        ("pretrain", "--corpus", "libri", ["librispeech"]),
        ("corpus describe", "name", "lh", ["lhotse"]),
        ("compare", "--protocol", "leave-one-sp", ["leave-one-speaker-out"]),
        ("compare", "--protocol", "none such", []),
    ],
)
def test_names_are_completed(cache, command, option, incomplete, words):
    assert completed(command, option, incomplete) == words


def test_the_last_mode_of_a_list_is_completed_and_none_twice(cache):
    assert completed("compare", "--modes", "real,central") == ["real,centralized"]
    assert "gaussian federated" in completed("compare", "--modes", "gaussian")
    assert completed("compare", "--modes", "centralized,central") == []


def test_modes_are_found_once_and_anew_where_methods_changed(cache, monkeypatch):
    found = []
    monkeypatch.setattr(completion, "_found", lambda: found.append(1) or {"modes": ["real", "mine"], "protocols": []})
    assert [completion.modes("mi") for _ in range(2)] == [["mine"]] * 2
    assert (len(found), cache.is_file()) == (1, True)
    monkeypatch.setattr(completion, "_state", lambda: ["another method"])
    completion.modes("")
    cache.write_text("[]")
    completion.modes("")
    assert len(found) == 3


def test_a_cache_that_cannot_be_written_completes_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "eyesoff").write_text("a file where a folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(completion, "_found", lambda: {"modes": ["real"]})
    assert completion.modes("re") == ["real"]


def test_completing_loads_no_network_library_once_names_are_kept(cache):
    completion.modes("")
    words = "completion.presets(''), completion.corpora(''), completion.protocols(''), completion.modes('')"
    line = f"import sys; from simulations import completion; {words}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", line], cwd=Path(__file__).parents[2], check=False).returncode == 0
