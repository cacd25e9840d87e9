"""Options that several commands share."""

from pathlib import Path

import pytest
import typer

from common.settings import RuntimeConfig
from simulations.cli import app
from simulations.commands.options import cache_folder, corpus_overrides

READERS = (
    "compare",
    "simulate",
    "bootstrap",
    "audit",
    "pretrain",
    "demo",
    "doctor",
    "corpus describe",
    "bench features",
)


@pytest.mark.parametrize("command", READERS)
def test_whatever_reads_features_is_told_where_they_are_kept(command):
    one = typer.main.get_command(app)
    for word in command.split():
        one = one.commands[word]
    assert "--cache" in [option for parameter in one.params for option in parameter.opts]


def test_a_cache_that_is_named_is_the_one_that_is_used():
    assert cache_folder(Path("elsewhere")) == Path("elsewhere")
    assert corpus_overrides(cache=Path("else where")) == ['runtime.cache="else where"']
    assert corpus_overrides() == []


def test_the_cache_lies_where_the_system_keeps_caches(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder(None) == RuntimeConfig().cache_folder == tmp_path / "eyesoff"
    assert RuntimeConfig(cache="~/mine").cache_folder == Path("~/mine").expanduser()
