"""`eyesoff bank`: the generators that came back."""

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from common.errors import UserError
from simulations.commands.options import AsJson

if TYPE_CHECKING:
    from server.bank import Bank, Banked

app = typer.Typer(no_args_is_help=True, help="List, check, remove and export the generators that came back.")

Folder = Annotated[
    Path, typer.Argument(metavar="BANK", help="The bank's folder, or the zip file of an export.", show_default=False)
]


@app.command("list")
def list_(folder: Folder, as_json: AsJson = False) -> None:
    """List the releases with the run and session that each came from.

    On a terminal a release is two lines; elsewhere it is one, with tabs between
    its fields and their names on top. Nothing is cut off.

    Example: eyesoff bank list runs/simulation/bank
    """
    with _opened(folder) as bank:
        banked = bank.banked()
    if as_json:
        _print_json({"releases": [_plain(one) for one in banked]})
        return
    header = ("name", "run", "session", "synthesizer", "emotions", "MB", "received")
    rows = [_row(one) for one in banked]
    if not _on_terminal():  # names are to be copied and cut: never shortened, never padded
        for words in (header, *rows):
            typer.echo("\t".join(words))
        return
    typer.echo(f"{len(rows)} releases")
    for words in rows:
        typer.echo(words[0])
        typer.echo("  " + ", ".join(f"{name} {word}" for name, word in zip(header[1:], words[1:], strict=True)))


@app.command()
def show(folder: Folder, name: Annotated[str, typer.Argument(help="A name that `list` shows.")]) -> None:
    """Print all that is known of one release, as JSON.

    Example: eyesoff bank show runs/simulation/bank Session1-0123456789ab
    """
    with _opened(folder) as bank:
        _print_json(_plain(bank.get(name)))


@app.command()
def verify(
    folder: Folder,
    as_json: AsJson = False,
    quarantine: Annotated[bool, typer.Option("--quarantine", help="Put aside whatever is found.")] = False,
) -> None:
    """Read every generator and name each that is cut, altered or not what its card says.

    Leaves with status 1 where something is found.

    Example: eyesoff bank verify runs/simulation/bank --quarantine
    """
    with _opened(folder, to_change=quarantine) as bank:
        findings = bank.verify()
        count = len(bank.banked()) if not findings else 0
        for finding in findings if quarantine else ():
            bank.put_aside(finding)
    if as_json:
        found = [{"name": finding.name, "problem": finding.problem} for finding in findings]
        _print_json({"sound": not findings, "findings": found, "quarantined": quarantine})
    else:
        for finding in findings:
            typer.echo(f"{finding.name}: {finding.problem}")
        typer.echo(f"{len(findings)} problem(s)" if findings else f"ok: {count} releases")
    if findings:
        raise typer.Exit(1)


@app.command()
def remove(
    folder: Folder,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Releases to delete.")] = None,
    quarantined: Annotated[bool, typer.Option("--quarantined", help="Delete what was put aside.")] = False,
) -> None:
    """Delete releases for good, such as those of a site that withdrew.

    Example: eyesoff bank remove runs/simulation/bank Session1-0123456789ab
    """
    if not names and not quarantined:
        raise UserError("nothing to remove was named", remedy="name releases, or pass --quarantined")
    with _opened(folder, to_change=True) as bank:
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

    Example: eyesoff bank export runs/simulation/bank generators.zip
    """
    from server.export import export

    with _opened(folder) as bank:
        exported = export(bank, target, only or ())
    typer.echo(f"{len(exported)} releases in {target}")


def _on_terminal() -> bool:
    return sys.stdout.isatty()


def _opened(place: Path, *, to_change: bool = False) -> "AbstractContextManager[Bank]":
    from server.opening import opened_bank

    return opened_bank(place, to_change=to_change)


def _row(one: "Banked") -> tuple[str, ...]:
    tuning = one.card.tuning
    about = (tuning.synthesizer, " ".join(one.card.emotions), f"{one.bytes / 1e6:.1f}")
    return (one.name, one.run, one.session, *about, one.received.isoformat(timespec="seconds"))


def _plain(banked: "Banked") -> dict[str, object]:
    """What follows a release stands beside it: the licence of what made the numbers that it was fitted to."""
    from common.features.sets import licence_of
    from common.spaces import Vectors

    space = banked.card.tuning.space
    licence = {"licence": licence_of(space.set)} if isinstance(space, Vectors) else {}
    settings = {"settings": banked.card.tuning.settings_hash, "audit": banked.card.audit}
    return banked.model_dump(mode="json") | settings | licence


def _print_json(data: object) -> None:
    import json

    typer.echo(json.dumps(data, indent=2))
