"""`eyesoff demo`: the whole story, on the built-in corpus."""

from pathlib import Path
from typing import Annotated

import typer

from simulations.commands.options import Overrides, choose_config


def demo(
    folder: Annotated[Path, typer.Option("--run", metavar="DIR", help="Where the run and its pictures go.")] = Path(
        "runs/demo"
    ),
    overrides: Overrides = None,
) -> None:
    """Make the built-in corpus, tune a generator at each of five clients, train on what those make; no download.

    The clients run through Flower and Ray, as in a real campaign. The corpus is
    a synthetic stand-in: it shows that everything works, and nothing about speech
    or people. What was made once is found again: a second run takes seconds, and
    one that was stopped goes on.

    Example: eyesoff demo
    """
    from rich.console import Console

    from common.corpora.description import describe
    from common.training.interruption import tidied_up
    from simulations.commands.corpus import show_description
    from simulations.comparison.table import table_of
    from simulations.demo import federate, show_generated, show_speech
    from simulations.progress import bars
    from simulations.report.writing import write_report

    config, console = choose_config("demo", None, overrides), Console(markup=False)
    with bars() as open_bar:
        shown = show_speech(config, folder, open_bar)
    show_description(describe(shown.manifest), console)
    with tidied_up():
        results, run = federate(config, folder, Console(stderr=True, markup=False))
        page = write_report(run)
    console.print(table_of(results))
    typer.echo(f"Each emotion as spectrograms:  {shown.picture}")
    typer.echo(f"Beside what a generator makes: {show_generated(config, shown, run)}")
    typer.echo(f"All of it on one page:         {page}")
