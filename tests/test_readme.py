"""Every command that the README shows can be typed: targets exist, options parse.

What is quick runs as it stands, among the slow tests: each command loads PyTorch.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer

from simulations import cli, telemetry

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMPARE = (ROOT / "docs" / "how-to" / "compare.md").read_text()


def blocks_of(text: str) -> list[list[str]]:
    """The commands of each block."""
    return [block.strip().splitlines() for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL)]


def lines_of(text: str) -> list[str]:
    """All commands that a document shows."""
    return [line for block in blocks_of(text) for line in block]


LINES = lines_of(README)
QUICK = [block for block in blocks_of(COMPARE) if all(line.startswith("eyesoff config") for line in block)]


def parse(words: list[str], app: typer.Typer = cli.app) -> None:
    """Let a command line take the words without doing anything about them."""

    def silence(command: click.Command) -> None:
        command.callback = lambda **_: None
        for child in getattr(command, "commands", {}).values():
            silence(child)

    command = typer.main.get_command(app)
    silence(command)
    command.main(words, standalone_mode=False)


def type_it(line: str) -> None:
    """What a document shows, typed without doing anything; raises where it cannot be."""
    program, *words = shlex.split(re.split(" [>|] ", line)[0])
    if program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(words) <= set(targets)
    elif program == "export":
        assert dict(word.split("=") for word in words).items() <= telemetry.SWITCHES.items()
    elif program == "flwr":
        parse(words, pytest.importorskip("flwr.cli.app", reason="Flower is an extra").app)
    else:
        assert program == "eyesoff"
        parse(words)


def test_the_readme_shows_commands() -> None:
    assert len(LINES) > 5
    assert QUICK


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_readme_can_be_typed(line: str) -> None:
    type_it(line)


@pytest.mark.parametrize("words", [["corpus", "describe"], ["config", "show", "--presett", "demo"], ["listen"]])
def test_a_command_that_cannot_be_typed_is_found(words: list[str]) -> None:
    with pytest.raises(click.UsageError):
        parse(words)


@pytest.mark.slow
@pytest.mark.parametrize("block", QUICK, ids=lambda block: block[0])
def test_quick_commands_of_the_documentation_run_as_they_stand(block: list[str], tmp_path: Path) -> None:
    tools = Path(sys.executable).parent
    done = subprocess.run(
        ["bash", "-euc", "\n".join(block)],
        cwd=tmp_path,
        env={"PATH": f"{tools}:/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_what_a_document_links_to_is_there(document: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / document).read_text())
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_every_corpus_stands_in_the_readme_and_no_other() -> None:
    from common.corpora import CORPORA

    section = COMPARE.split("## Your corpus")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(CORPORA.methods)
