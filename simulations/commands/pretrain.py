"""`eyesoff pretrain`: from a folder of unlabelled speech to networks that can be shipped."""

from pathlib import Path
from typing import Annotated

import typer

from simulations import completion
from simulations.commands.options import (
    Cache,
    ConfigFile,
    Overrides,
    Preset,
    choose_config,
    corpus_overrides,
    placeless_command,
)


def pretrain(
    root: Annotated[Path, typer.Option("--root", metavar="DIR", help="Folder of the corpus.", show_default=False)],
    run: Annotated[Path, typer.Option("--run", metavar="DIR", help="Run directory: all that comes out.")],
    preset: Preset = None,
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    corpus: Annotated[
        str | None,
        typer.Option(
            "--corpus",
            metavar="NAME",
            help="Corpus; by default the configuration's.",
            autocompletion=completion.corpora,
        ),
    ] = None,
    cache: Cache = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where this run stopped, or begin it.")] = False,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="DIR", help="Also write shippable fp16 weights and a card.")
    ] = None,
) -> None:
    """Pre-train on unlabelled speech: the autoencoder first, then WGAN-GP.

    SIGTERM or Ctrl-C finishes the step, keeps it and leaves; the same line with --resume goes on from there.
    Several processes: torchrun --nproc-per-node 2 --no-python -- eyesoff pretrain ...

    Example: eyesoff pretrain --preset small --root data/LibriSpeech --run runs/pretrain-small
    """
    import os

    from rich.console import Console

    from common.training.interruption import stoppable
    from common.training.phases import Interrupted
    from common.training.reporters import ProgressBar, StatusLines
    from server import pretraining

    chosen = [f'pretraining.corpus="{corpus}"'] if corpus else []
    config = choose_config(
        preset, config_file, [*(overrides or []), *chosen, *corpus_overrides(cache=cache)], default="small"
    )
    console = Console(stderr=True, markup=False)
    watcher = (
        ProgressBar(console) if console.is_terminal else StatusLines(lambda line: console.print(line, soft_wrap=True))
    )
    leads = os.environ.get("RANK", "0") == "0"
    with stoppable() as stop:
        try:
            result = pretraining.pretrain(
                config,
                root,
                run,
                resume=resume,
                command=placeless_command(),
                console=watcher,
                stop=stop,
            )
        except Interrupted as stopped:
            if leads:
                typer.echo(f"{stopped}: the same line with --resume", err=True)
            raise typer.Exit(stop.status) from None
    if leads:
        typer.echo(f"pre-trained networks: {result}")
        if export:
            card = pretraining.export(run, export)
            typer.echo(f"shippable weights: {export} (sha256 {card['sha256'][:12]})")
