"""`eyesoff config`: show an effective configuration, judge a file."""

from pathlib import Path
from typing import Annotated

import typer

from simulations.commands.options import AsJson, ConfigFile, Overrides, Preset, choose_config

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
    from common.config.showing import as_toml

    config = choose_config(preset, config_file, overrides)
    if as_json:
        import json

        typer.echo(json.dumps({"identity": config.identity_hash(), "config": config.model_dump(mode="json")}, indent=2))
    else:
        typer.echo(as_toml(config), nl=False)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The TOML file to judge.", show_default=False)],
    overrides: Overrides = None,
) -> None:
    """Say that a file is sound, with its identity hash, or list every mistake in it with its place.

    Leaves with status 2 where there is a mistake.

    Example: eyesoff config check mine.toml
    """
    config = choose_config(None, file, overrides)
    typer.echo(f"ok: {file} ({config.identity_hash()})")
