"""The pages of the documentation that are written from the code: commands, settings, methods, tours.

Owns how each is spelled in Markdown. Must not know how a page is shown.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import typer

from common.config import Config
from common.config.added import section_kinds
from common.config.showing import about_section, about_setting, spell
from common.files import atomic_write
from common.protocols import PROTOCOLS
from common.recognizers import RECOGNIZERS
from common.registry import Registry
from common.settings import Section
from common.synthesizers import SYNTHESIZERS
from simulations import tour
from simulations.cli import app

WRITTEN = "<!-- Written by `make docs` from the code; change the code, not this page. -->\n\n"


def write(folder: Path) -> None:
    """All of them, where they changed."""
    for name, page in {
        "commands": commands(),
        "settings": settings(),
        "methods": methods(),
        "tours": tour.page(),
    }.items():
        path, data = folder / f"{name}.md", (WRITTEN + page).encode()
        if not path.exists() or path.read_bytes() != data:
            atomic_write(path, data)


def commands() -> str:
    """Every command with its words, options and defaults."""
    root = typer.main.get_command(app)
    lines = [
        "# Commands",
        "",
        "Every command explains itself with `--help`; `--debug` shows the traceback of an error.",
        "",
    ]
    return "\n".join([*lines, *_below(root, "eyesoff")])


def _below(command: click.Command, path: str) -> Iterator[str]:
    children: dict[str, click.Command] = getattr(command, "commands", {})
    if not children:
        yield from _command(command, path)
        return
    for name in sorted(children):
        yield from _below(children[name], f"{path} {name}")


def _command(command: click.Command, path: str) -> Iterator[str]:
    yield from (f"## {path}", "")
    about = (command.help or "").replace("\f", "").split("Example: ")
    yield from (_plain(about[0]).strip(), "")
    for example in about[1:]:
        yield from ("```bash", " ".join(example.split()), "```", "")
    rows = [row for parameter in command.params if (row := _parameter(parameter))]
    yield from _table(("option", "default", "meaning"), rows)


def _parameter(parameter: click.Parameter) -> tuple[str, str, str] | None:
    if getattr(parameter, "hidden", False) or parameter.name == "help":
        return None
    if isinstance(parameter, click.Argument):
        names = f"`{parameter.human_readable_name.upper()}`"
    else:
        names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    default = parameter.default
    shown = "" if default in (None, False, ()) or callable(default) else f"`{default}`"
    return names, shown, _plain(getattr(parameter, "help", None) or "")


def settings() -> str:
    """Every setting of every section: its default and what it means."""
    lines = ["# Settings", ""]
    lines += ["A file holds any of them, as TOML; `--set section.name=value` changes one on the command line.", ""]
    whole = Config()
    sections = {name: value for name in Config.model_fields if isinstance(value := getattr(whole, name), Section)}
    top = {name: getattr(whole, name) for name in Config.model_fields if name not in sections}
    lines += ["## At the top", "", *_table(("setting", "default", "meaning"), _rows(Config, top))]
    for name, kind in section_kinds().items():
        sections.setdefault(name, kind())
    for name, section in sections.items():
        lines += _section(section, name)
    return "\n".join(lines)


def _section(section: Section, place: str) -> Iterator[str]:
    yield from (f"## {place}", "", about_section(section), "")
    values = {name: getattr(section, name) for name in type(section).model_fields}
    below = {name: value for name, value in values.items() if isinstance(value, Section)}
    own = {name: value for name, value in values.items() if name not in below}
    yield from _table(("setting", "default", "meaning"), _rows(type(section), own))
    for name, value in below.items():
        yield from _section(value, f"{place}.{name}")


def _rows(kind: type[Section], values: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(f"`{name}`", f"`{spell(value)}`", _plain(about_setting(kind, name))) for name, value in values.items()]


def methods() -> str:
    """Every synthesizer, recognizer and protocol: where it comes from and what it does."""
    lines = ["# Methods", "", "## Synthesizers", ""]
    rows = [
        (f"`{one.name}`", _spaces(one.spaces), _plain(one.about), _plain(one.released), _plain(one.paper))
        for one in SYNTHESIZERS
    ]
    lines += _table(("name", "reads", "what it does", "what leaves the data", "paper"), rows)
    lines += ["## Recognizers", ""]
    lines += _table(
        ("name", "reads", "what it does"),
        [(f"`{one.name}`", _spaces(one.spaces), _plain(one.about)) for one in RECOGNIZERS],
    )
    lines += ["## Protocols", ""]
    lines += _table(
        ("name", "what it cuts", "a campaign can keep to it", "paper"),
        [(f"`{one.name}`", _plain(one.about), "yes" if one.cuts else "no", _plain(one.paper)) for one in PROTOCOLS],
    )
    return "\n".join([*lines, *_broken(SYNTHESIZERS), *_broken(RECOGNIZERS), *_broken(PROTOCOLS)])


def _broken(registry: Registry[Any]) -> Iterator[str]:
    for one in registry.broken:
        yield from (
            f"The {registry.noun} `{one.name}` of another package cannot be loaded here: {_plain(one.reason)}",
            "",
        )


def _spaces(spaces: Iterable[type[Section]]) -> str:
    return ", ".join(sorted(space.__name__.lower() for space in spaces))


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    rows = list(rows)
    if rows:
        yield f"| {' | '.join(heads)} |"
        yield f"|{'---|' * len(heads)}"
        yield from (f"| {' | '.join(row)} |" for row in rows)
        yield ""


def _plain(text: str) -> str:
    """One line without the terminal's markup, safe within a table."""
    for mark in ("[bold]", "[/bold]"):
        text = text.replace(mark, "")
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
