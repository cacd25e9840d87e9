"""`eyesoff bootstrap`: a recognizer from a bank of generators, when the speech and its keepers are gone."""

from pathlib import Path
from typing import Annotated

import typer

from simulations.commands.options import AsJson, ConfigFile, Overrides, Preset, choose_config


def bootstrap(
    bank: Annotated[Path, typer.Option("--bank", metavar="DIR", help="A bank, such as a run's bank/ folder.")],
    run: Annotated[Path, typer.Option("--run", metavar="DIR", help="Where the recognizer goes.")],
    preset: Preset = None,
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    corpus: Annotated[
        str | None, typer.Option("--corpus", metavar="NAME", help="Also score it on this corpus.")
    ] = None,
    root: Annotated[str | None, typer.Option("--root", metavar="DIR", help="The corpus's folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train a recognizer from a bank alone, on what its generators draw.

    Example: eyesoff bootstrap --bank runs/simulation/bank --run runs/bootstrap --corpus builtin
    """
    import json

    from server.bank import Bank
    from server.bootstrap import bootstrap as train
    from simulations.federation.results import score_recognizer

    config = choose_config(preset, config_file, overrides)
    folder = train(config, Bank(bank), run)
    told: dict[str, object] = {"recognizer": str(folder)}
    if corpus:
        told |= score_recognizer(config, Bank(bank), folder, corpus, root)
    if as_json:
        typer.echo(json.dumps(told))
        return
    typer.echo(f"recognizer: {folder}")
    if corpus:
        typer.echo(f"on {corpus}: macro F1 {told['macro_f1']}, UAR {told['uar']}")
