"""`eyesoff demo`: the whole story, on the built-in corpus."""

from pathlib import Path
from typing import Annotated

import typer

from simulations.commands.options import Cache, Overrides, choose_config, corpus_overrides


def demo(
    folder: Annotated[Path, typer.Option("--run", metavar="DIR", help="Where the run and its pictures go.")] = Path(
        "runs/demo"
    ),
    overrides: Overrides = None,
    cache: Cache = None,
) -> None:
    """Make the built-in corpus, fit a generator at each of five clients, train on what those make; no download.

    It does so twice: with the paper's GAN, through Flower and Ray as in a real campaign,
    and with a Gaussian an emotion on vectors, which takes seconds. The corpus is
    a synthetic stand-in: it shows that everything works, and nothing about speech
    or people. What was made once is found again: a second run takes seconds, and
    one that was stopped goes on.

    Example: eyesoff demo
    """
    from rich.console import Console

    from simulations.progress import bars, busy, printer

    with busy("starting"):
        from common.corpora.description import describe
        from common.training.interruption import tidied_up
        from simulations.commands.corpus import show_description
        from simulations.demo import federate, on_vectors, overview, show_generated, show_speech, verdict
        from simulations.report.writing import write_report

    changes = [*(overrides or ()), *corpus_overrides(cache=cache)]
    config, console = choose_config("demo", None, changes), printer()
    with bars() as open_bar:
        shown = show_speech(config, folder, open_bar)
    show_description(describe(shown.manifest), console)
    quiet = Console(stderr=True, markup=False)
    with tidied_up():
        network, run = federate(config, folder, quiet)
        vectors, beside = federate(on_vectors(config), folder, quiet, backend="serial")
        with busy("drawing the reports"):
            page, other, picture = write_report(run), write_report(beside), show_generated(config, shown, run)
    campaigns = {"a Gaussian an emotion": vectors, "the paper's GAN": network}
    console.print(overview(campaigns))
    console.print(verdict(campaigns), soft_wrap=True)
    typer.echo(f"Each emotion as spectrograms:    {shown.picture}")
    typer.echo(f"Beside what a GAN of it makes:   {picture}")
    typer.echo(f"All of it on a page, with sound: {page}")
    typer.echo(f"The Gaussians on a page:         {other}")
    own = 'eyesoff compare --preset best --corpus table --root labels.csv --modes "real,gaussian federated"'
    typer.echo(f"Next, on your own recordings:    {own}")
