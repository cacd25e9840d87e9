"""One line and a true exit status for whatever goes wrong, and an answer at once for `--help`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from common.errors import UserError, UserErrors
from simulations import cli


def leave(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    out, err = capsys.readouterr()
    return left.value.code, out, err


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch):
    """Let the command line hold one command, `fail`, that raises what it is given."""

    def install(error: BaseException) -> None:
        app = typer.Typer(pretty_exceptions_enable=False)

        @app.command()
        def fail() -> None:
            raise error

        monkeypatch.setattr(cli, "app", app)

    return install


def test_a_mistake_of_the_readers_is_one_line_and_status_2(failing, capsys) -> None:
    failing(UserError("no such folder", where="data", remedy="pass --root"))
    assert leave([], capsys) == (2, "", "error: no such folder: data; pass --root\n")


def test_several_mistakes_are_a_line_each(failing, capsys) -> None:
    failing(UserErrors("mine.toml: 2 mistakes", ["one", "two"]))
    assert leave([], capsys) == (2, "", "error: mine.toml: 2 mistakes\n  - one\n  - two\n")


def test_a_mistake_of_ours_is_one_line_and_another_status(failing, capsys) -> None:
    failing(ValueError("two\nlines"))
    line = "internal error: ValueError: two lines (run again with --debug for the traceback)\n"
    assert leave([], capsys) == (70, "", line)


@pytest.mark.parametrize("error", [UserError("no such folder"), ValueError("no")])
def test_debug_shows_the_traceback_wherever_it_stands(error: Exception, failing, capsys) -> None:
    failing(error)
    status, _, err = leave(["--debug"], capsys)
    assert status in (2, 70)
    assert "Traceback (most recent call last)" in err
    assert f'File "{__file__}"' in err


def test_ctrl_c_is_status_130_without_a_traceback(failing, capsys) -> None:
    failing(KeyboardInterrupt())
    status, _, err = leave([], capsys)
    assert (status, "Traceback" in err) == (130, False)


def test_an_exit_status_that_a_command_chooses_is_kept(failing, capsys) -> None:
    failing(typer.Exit(1))
    assert leave([], capsys) == (1, "", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["config", "show", "--presett"], "No such option '--presett'. (Did you mean"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["compare", "--seeds", "0"], "Invalid value for '--seeds': 0 is not in the range 1<=x<=100"),
        (["bootstrap"], "Missing option '--bank'"),
        (["recognize"], "Missing argument 'MODEL'"),
    ],
    ids=["option", "command", "value", "missing option", "missing argument"],
)
def test_what_was_typed_wrongly_is_one_line_like_every_mistake(words: list[str], said: str, capsys) -> None:
    status, out, err = leave(words, capsys)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"error: {said}")
    assert "--help` explains it" in err


def test_a_group_without_a_command_shows_its_help(capsys) -> None:
    status, out, err = leave(["bank"], capsys)
    assert status == 2
    assert "export" in out + err


def test_no_command_shows_the_help(capsys) -> None:
    _, out, err = leave([], capsys)
    assert "eyesoff doctor" in out + err


def test_the_version_is_the_installed_one(capsys) -> None:
    from importlib.metadata import version

    assert leave(["--version"], capsys) == (0, f"eyesoff {version('eyesoff')}\n", "")


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = [sys.executable, "-m", "simulations.cli", "config", "show"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=200) == 1


def test_help_needs_none_of_the_heavy_libraries() -> None:
    heavy = {"torch", "numpy", "scipy", "librosa", "pydantic", "matplotlib", "pyarrow", "flwr", "ray"}
    code = f"import sys, simulations.cli; print(*sorted({heavy} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == []


def walk(command: typer.core.TyperGroup | typer.core.TyperCommand, place: tuple[str, ...]):
    children = getattr(command, "commands", {})
    for name, child in children.items():
        yield from walk(child, (*place, name))
    if not children:
        yield place, command


COMMANDS = list(walk(typer.main.get_command(cli.app), ()))


@pytest.mark.parametrize(("place", "command"), COMMANDS, ids=[" ".join(place) for place, _ in COMMANDS])
def test_every_command_explains_itself_with_an_example(place: tuple[str, ...], command) -> None:
    assert f"Example: eyesoff {' '.join(place)}" in " ".join(command.help.split())
    assert all(parameter.help for parameter in command.params if parameter.name != "help")


@pytest.mark.parametrize(("place", "command"), COMMANDS, ids=[" ".join(place) for place, _ in COMMANDS])
def test_no_help_loses_a_word_in_brackets(place: tuple[str, ...], command) -> None:
    """Rich takes [word] for a style, and leaves out one that it does not know."""
    helps = [command.help, *(parameter.help or "" for parameter in command.params)]
    assert [words for words in map(_in_brackets, helps) if words] == []


def _in_brackets(text: str) -> list[str]:
    return [word for word in re.findall(r"(?<!\\)\[([a-z#/@][^\[]*?)\]", text) if word.strip("/") != "bold"]


def test_every_module_of_commands_is_named_by_what_is_typed() -> None:
    folder = Path(cli.__file__).parent / "commands"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "listing", "options"}
    typed = {place[0] for place, _ in COMMANDS}
    assert typed <= modules
    assert modules - typed <= {"_".join(place[:2]) for place, _ in COMMANDS}
