"""`eyesoff config`: show an effective configuration, judge a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from common.errors import UserError
from simulations.commands.options import AsJson, ConfigFile, Overrides, Preset, choose_config

if TYPE_CHECKING:
    from common.config import Config

app = typer.Typer(no_args_is_help=True, help="Show the effective configuration, or judge a file.")


@app.command()
def show(
    preset: Preset = None,
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Print every setting with its meaning, and the hash that names its results.

    The output is a whole TOML file: keep it, change it, and pass it with --config.

    Example: eyesoff config show --preset small --set finetuning.iterations=700 > mine.toml
    """
    from common.config.judging import unknown_names
    from common.config.reading import all_mistakes
    from common.config.showing import as_plain, as_toml

    config = choose_config(preset, config_file, overrides)
    if problems := unknown_names(config):
        raise all_mistakes(config_file or f"preset {config.name} and what --set changes", problems)
    if as_json:
        import json

        typer.echo(json.dumps({"identity": config.identity_hash(), "config": as_plain(config)}, indent=2))
    else:
        typer.echo(as_toml(config), nl=False)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The TOML file to judge.", show_default=False)],
    overrides: Overrides = None,
) -> None:
    """Say that a file is sound, with its identity hash, or list every mistake in it with its place.

    Methods, corpora, their options and the rows of a comparison are looked up here, without any speech.
    Leaves with status 2 where there is a mistake.

    Example: eyesoff config check mine.toml
    """
    from common.config.judging import refusals, unknown_names
    from common.config.reading import all_mistakes, read_toml

    config = choose_config(None, file, overrides)
    if not _sets(read_toml(file, "configuration", remedy="name a TOML file")):
        what = "it sets nothing, and so stands for every default, which is the paper's size"
        raise UserError(
            what, where=file, remedy="write what differs, or begin with `eyesoff config show --preset small`"
        )
    if problems := [*unknown_names(config), *refusals("compare", lambda: _refuse_rows(config))]:
        raise all_mistakes(file, problems)
    typer.echo(f"ok: {file} ({config.identity_hash()})")


def _sets(tree: dict[str, Any]) -> bool:
    """Whether there is a setting in any of the sections."""
    return any(not isinstance(value, dict) or _sets(value) for value in tree.values())


def _refuse_rows(config: "Config") -> None:
    """As a comparison does; which rows an unknown recognizer could have is not known, but which none has."""
    from common.features.spaces import space_of_kinds
    from common.recognizers import RECOGNIZERS
    from simulations.comparison.modes import EACH, SPOKEN, choose_modes, modes_of

    reads = RECOGNIZERS.methods.get(config.methods.recognizer)
    if reads is None:
        known = {*modes_of(config), *SPOKEN, *EACH}
        choose_modes([name for name in config.compare.modes if name not in known])
        return
    for mode in choose_modes((), space_of_kinds(reads.spaces, config), config):
        mode.of(config)
