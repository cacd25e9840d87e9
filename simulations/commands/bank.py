"""`eyesoff bank`: the generators that came back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from common.errors import UserError
from simulations.commands.options import AsJson

if TYPE_CHECKING:
    from server.bank import Bank, Banked

app = typer.Typer(no_args_is_help=True, help="List, check, remove and export the generators that came back.")

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The bank's folder.", show_default=False)]


@app.command("list")
def list_(folder: Folder, as_json: AsJson = False) -> None:
    """List the releases with the run and session that each came from.

    Example: eyesoff bank list runs/demo/bank
    """
    banked = _open(folder).banked()
    if as_json:
        _print_json({"releases": [_plain(one) for one in banked]})
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "name", "run", "session", "synthesizer", "precision", "MB", "received", title=f"{len(banked)} releases"
    )
    for one in banked:
        tuning = one.card.tuning
        size = f"{one.bytes / 1e6:.1f}"
        received = one.received.isoformat(sep=" ", timespec="seconds")
        table.add_row(one.name, one.run, one.session, tuning.synthesizer, tuning.precision.value, size, received)
    Console(markup=False).print(table)


@app.command()
def show(folder: Folder, name: Annotated[str, typer.Argument(help="A name that `list` shows.")]) -> None:
    """Print all that is known of one release, as JSON.

    Example: eyesoff bank show runs/demo/bank Session1-0123456789ab
    """
    _print_json(_plain(_open(folder).get(name)))


@app.command()
def verify(
    folder: Folder,
    as_json: AsJson = False,
    quarantine: Annotated[bool, typer.Option("--quarantine", help="Put aside whatever is found.")] = False,
) -> None:
    """Read every generator and name each that is cut, altered or not what its card says.

    Leaves with status 1 where something is found.

    Example: eyesoff bank verify runs/demo/bank --quarantine
    """
    bank = _open(folder)
    findings = bank.verify()
    if quarantine:
        for finding in findings:
            bank.put_aside(finding)
    if as_json:
        found = [{"name": finding.name, "problem": finding.problem} for finding in findings]
        _print_json({"sound": not findings, "findings": found, "quarantined": quarantine})
    else:
        for finding in findings:
            typer.echo(f"{finding.name}: {finding.problem}")
        typer.echo(f"{len(findings)} problem(s)" if findings else f"ok: {len(bank.banked())} releases")
    if findings:
        raise typer.Exit(1)


@app.command()
def remove(
    folder: Folder,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Releases to delete.")] = None,
    quarantined: Annotated[bool, typer.Option("--quarantined", help="Delete what was put aside.")] = False,
) -> None:
    """Delete releases for good, such as those of a site that withdrew.

    Example: eyesoff bank remove runs/demo/bank Session1-0123456789ab
    """
    bank = _open(folder)
    if not names and not quarantined:
        raise UserError("nothing to remove was named", remedy="name releases, or pass --quarantined")
    for name in names or ():
        bank.get(name)
    for name in names or ():
        bank.remove(name)
    gone = [*(names or ()), *(bank.prune() if quarantined else ())]
    typer.echo(f"removed: {', '.join(gone) or 'nothing'}")


@app.command("export")
def export_(
    folder: Folder,
    target: Annotated[Path, typer.Argument(help="A new folder, or a new file ending in .zip.", show_default=False)],
    only: Annotated[list[str] | None, typer.Option("--only", metavar="NAME", help="May be repeated.")] = None,
) -> None:
    """Copy releases to a folder or a zip file that is a bank itself, with an index.

    Example: eyesoff bank export runs/demo/bank generators.zip
    """
    from server.export import export

    exported = export(_open(folder), target, only or ())
    typer.echo(f"{len(exported)} releases in {target}")


def _open(folder: Path) -> "Bank":
    from server.bank import Bank

    if not folder.is_dir():
        raise UserError("no such bank", where=folder, remedy="name the folder that a run writes its releases to")
    return Bank(folder)


def _plain(banked: "Banked") -> dict[str, object]:
    settings = {"settings": banked.card.tuning.settings_hash}
    return banked.model_dump(mode="json") | settings


def _print_json(data: object) -> None:
    import json

    typer.echo(json.dumps(data, indent=2))
