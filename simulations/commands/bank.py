"""`eyesoff bank`: the generators that came back."""

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from common.errors import UserError
from simulations.commands.options import AsJson
from simulations.report.wording import many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from server.bank import Bank, Banked, Finding

MEGABYTE = 10**6

app = typer.Typer(no_args_is_help=True, help="List, check, remove and export the generators that came back.")

Folder = Annotated[
    Path, typer.Argument(metavar="BANK", help="The bank's folder, or the zip file of an export.", show_default=False)
]


@app.command("list")
def list_(folder: Folder, as_json: AsJson = False) -> None:
    """List the releases with the run and session that each came from.

    On a terminal a release is two lines; elsewhere it is one, with tabs between
    its fields and their names on top. Nothing is cut off.

    A release whose file is not as large as its card says is named on the
    error stream; `eyesoff bank verify` reads the files too.

    Example: eyesoff bank list runs/simulation/bank
    """
    with _opened(folder) as bank:
        banked, findings = bank.banked(), bank.cut()
    for finding in findings:
        typer.echo(f"{finding.name}: {finding.problem}; `eyesoff bank verify {folder}` reads every file", err=True)
    if as_json:
        _print_json({"releases": [_plain(one) for one in banked], "findings": _found(findings)})
        return
    header = ("name", "run", "session", "synthesizer", "emotions", "MB", "received")
    rows = [_row(one) for one in banked]
    if not _on_terminal():  # names are to be copied and cut: never shortened, never padded
        for words in (header, *rows):
            typer.echo("\t".join(words))
        return
    typer.echo(many(len(rows), "release"))
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
        _print_json({"sound": not findings, "findings": _found(findings), "quarantined": quarantine})
    else:
        for finding in findings:
            typer.echo(f"{finding.name}: {finding.problem}")
        typer.echo(many(len(findings), "problem") if findings else f"ok: {many(count, 'release')}")
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
    typer.echo(f"{many(len(exported), 'release')} in {target}")


@app.command("shrink")
def shrink_(
    folder: Folder,
    target: Annotated[Path, typer.Argument(help="A new folder.", show_default=False)],
    rank: Annotated[
        int | None,
        typer.Option("--rank", min=1, help="Directions kept of each layer's difference; by default all.", metavar="N"),
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option("--base", metavar="DIR", help="The public networks, where the bank lacks them and none shipped."),
    ] = None,
    distil: Annotated[
        bool,
        typer.Option(
            "--distil/--no-distil",
            help="Train what a rank keeps to make what the whole generator makes.",
        ),
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Cut releases to low rank and 8 bits, into a bank of its own; the old one stays as it is.

    What is kept is the difference to the public networks that a tuning began with, which go into the new bank too.
    Everything that reads a bank reads the new one. Vectors have no public networks: leave out --rank. After a kill
    the same command goes on with the next release; what is done so far lies in a hidden folder beside the new bank.

    Example: eyesoff bank shrink runs/emodb/bank runs/emodb/small --rank 8
    """
    from server.shrinking import shrink
    from simulations.progress import bars

    try:
        with _opened(folder) as bank, bars() as bar:
            before, after = shrink(bank, target, rank or "full", base, bar("releases"), distil=distil)
    except KeyboardInterrupt:
        typer.echo("stopped as asked; the same command goes on with the next release", err=True)
        raise
    if as_json:
        _print_json({"releases": [_plain(one) | {"bytes_before": old.bytes} for old, one in _pairs(before, after)]})
        return
    for old, one in _pairs(before, after):
        typer.echo(f"{one.name}: {old.bytes / 1e3:.1f} kB became {one.bytes / 1e3:.1f} kB")
    typer.echo(f"{many(len(after), 'release')} in {target}")


def _pairs(before: "Sequence[Banked]", after: "Sequence[Banked]") -> "list[tuple[Banked, Banked]]":
    names = {one.cut_from: one for one in after}
    return [(old, names[old.name]) for old in before]


def _on_terminal() -> bool:
    return sys.stdout.isatty()


def _opened(place: Path, *, to_change: bool = False) -> "AbstractContextManager[Bank]":
    from server.opening import opened_bank

    return opened_bank(place, to_change=to_change)


def _row(one: "Banked") -> tuple[str, ...]:
    tuning = one.card.tuning
    size = f"{one.bytes / MEGABYTE:.{1 if one.bytes >= MEGABYTE else 3}f}"
    about = (tuning.synthesizer, " ".join(one.card.emotions), size)
    return (one.name, one.run, one.session, *about, one.received.isoformat(timespec="seconds"))


def _plain(banked: "Banked") -> dict[str, object]:
    """What follows a release stands beside it: the licence of what made the numbers that it was fitted to."""
    from common.features.sets import licence_of
    from common.spaces import Vectors

    space = banked.card.tuning.space
    licence = {"licence": licence_of(space.set)} if isinstance(space, Vectors) else {}
    settings = {"settings": banked.card.tuning.settings_hash, "audit": banked.card.audit}
    return banked.model_dump(mode="json") | settings | licence


def _found(findings: "Sequence[Finding]") -> list[dict[str, str]]:
    return [{"name": finding.name, "problem": finding.problem} for finding in findings]


def _print_json(data: object) -> None:
    import json

    typer.echo(json.dumps(data, indent=2))
