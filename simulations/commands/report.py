"""`eyesoff report`: what a comparison found, on one page."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A comparison's folder, or its results.json.", show_default=False)
    ],
    show: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    readme: Annotated[
        Path | None,
        typer.Option(
            "--readme",
            metavar="FILE",
            help="Write its table into this file as well, between the comments that name it.",
        ),
    ] = None,
) -> None:
    """Build the report of a stored comparison: report.html, which needs nothing else.

    Beside it lie its figures as SVG and PNG, and its tables as CSV.

    Example: eyesoff report runs/emodb --open
    """
    from simulations.progress import busy

    with busy("drawing the report"):
        from simulations.report.readme import update_readme
        from simulations.report.writing import write_report

        page = write_report(run)
    typer.echo(f"report: {page}")
    if readme is not None:
        update_readme(readme, run)
        typer.echo(f"table of results: {readme}")
    if show:
        typer.launch(str(page.resolve()))
