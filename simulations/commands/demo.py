"""`eyesoff demo`: the story so far, on the built-in corpus."""

from pathlib import Path
from typing import Annotated

import typer

from simulations.commands.options import Overrides, choose_config


def demo(
    folder: Annotated[Path, typer.Option("--run", metavar="DIR", help="Run directory: where the pictures go.")] = Path(
        "runs/demo"
    ),
    overrides: Overrides = None,
) -> None:
    """Make the built-in corpus, extract its features and show both; needs no download.

    The corpus is a synthetic stand-in: it shows that everything works, and nothing about speech or people.
    What was made once is found again: a second run takes seconds.

    Example: eyesoff demo
    """
    from rich.console import Console

    from common.corpora.description import describe
    from simulations.commands.corpus import show_description
    from simulations.demo import show_speech
    from simulations.progress import bars

    with bars() as open_bar:
        shown = show_speech(choose_config("demo", None, overrides), folder, open_bar)
    show_description(describe(shown.manifest), Console())
    typer.echo(f"Each emotion as spectrograms: {shown.picture}")
