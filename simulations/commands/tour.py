"""`eyesoff tour`: a guided tour for each kind of user.

Owns how steps are shown and when the next one begins. Must not know what a step says.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from common.errors import UserError

if TYPE_CHECKING:
    from simulations.tour import Tour


def tour(
    persona: Annotated[
        str,
        typer.Argument(
            metavar="[NAME]", help="newcomer, researcher, engineer, steward or modeller.", show_default=False
        ),
    ] = "",
    run: Annotated[bool, typer.Option("--run", help="Also run each command, one after the other.")] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--in", metavar="DIR", help="Where they run; a new temporary folder by default.", show_default=False
        ),
    ] = None,
) -> None:
    """Show what eyesoff does for you in five or six commands, each with a sentence; --run also runs them.

    They run on eighty recordings that a program made, so you need no speech. On a terminal each step waits for Enter.
    Without a name, the tours are listed.

    Example: eyesoff tour newcomer --run
    """
    from simulations.tour import TOURS, lines_of

    if not persona:
        for name, one in TOURS.items():
            typer.echo(f"{name}: {one.about}")
        typer.echo("one of them: eyesoff tour newcomer --run")
        return
    if persona not in TOURS:
        raise UserError("no such tour", where=persona, remedy=f"choose one of {', '.join(TOURS)}")
    if folder and not run:
        raise UserError("--in says where commands run, and none does", remedy="add --run")
    if run:
        _run(TOURS[persona], folder)
        return
    for line in lines_of(TOURS[persona]):
        typer.echo(line)
    typer.echo(f"\nAll of it, run for you: eyesoff tour {persona} --run")


def _run(chosen: "Tour", folder: Path | None) -> None:
    """Step by step; the first command that fails ends it, with its status."""
    import tempfile

    from simulations.tour import run_step

    place = folder or Path(tempfile.mkdtemp(prefix="eyesoff-tour-"))
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError("cannot make the folder", where=place, remedy=error.strerror) from None
    typer.echo(f"{chosen.about}\nAll of it lies in {place}")
    for number, step in enumerate(chosen.steps, start=1):
        typer.echo(f"\n{number} of {len(chosen.steps)}. {step.says}\n$ {step.command}")
        if sys.stdin.isatty() and sys.stdout.isatty():
            typer.prompt("Enter runs it", default="", show_default=False, prompt_suffix=" ")
        sys.stdout.flush()  # before the command writes on the same stream
        if status := run_step(step, place):
            typer.echo(f"the tour ends here: this command left with status {status}", err=True)
            raise typer.Exit(status)
    typer.echo(f"\nThat was the tour. What it made lies in {place}. Go on with {chosen.next}.")
