"""`eyesoff ledger`: what left a site, read from its own record."""

import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from common.errors import UserError
from simulations.commands.options import AsJson, PageFile, write_page

app = typer.Typer(no_args_is_help=True, help="Read a site's ledger, and check that nobody changed it.")

DAY = ["%Y-%m-%d"]
Since = Annotated[
    datetime | None, typer.Option("--since", metavar="DAY", formats=DAY, help="From this day on, in UTC.")
]
Until = Annotated[
    datetime | None, typer.Option("--until", metavar="DAY", formats=DAY, help="Up to this day's end, in UTC.")
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The ledger.", show_default=False)]


@app.command()
def show(
    file: File,
    as_json: AsJson = False,
    last: Annotated[int | None, typer.Option("--last", min=1, metavar="N", help="The last N entries alone.")] = None,
    since: Since = None,
    until: Until = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Commas between the fields, for a spreadsheet.")] = False,
) -> None:
    """List what was asked, refused and sent, in the order in which it happened, and what every tuning ran.

    Nothing is cut off. On a terminal an entry is a few short lines; elsewhere it is one, with tabs between its fields
    and their names on top. With --json every entry comes whole: what it said word by word, the shapes of its weights.

    Example: eyesoff ledger show site/state/ledger.jsonl --last 20

    Example: eyesoff ledger show site/state/ledger.jsonl | cut -f 2,4,5,12

    Example: eyesoff ledger show site/state/ledger.jsonl --since 2026-11-01 --until 2026-11-30 --csv
    """
    if as_csv and as_json:
        raise UserError("--csv and --json both name a form", remedy="give one of them")
    if since and until and until < since:
        raise UserError(f"--until {until:%Y-%m-%d} is before --since {since:%Y-%m-%d}", remedy="exchange them")
    from collections import deque

    from client.history import Entry
    from client.ledger import entries_or_strays
    from simulations.inspection.entries import between

    chosen, strays, wanted = deque[Entry](maxlen=last), 0, between(since, until)
    for entry in entries_or_strays(file):
        if entry is None:
            strays += 1
        elif wanted(entry):
            chosen.append(entry)
    if strays:
        typer.echo(f"{strays} line(s) of {file} are no entries; `eyesoff ledger verify` says which may be", err=True)
    if as_json:
        import json

        typer.echo(json.dumps({"entries": [entry.model_dump(mode="json") for entry in chosen]}, indent=2))
        return
    from simulations.inspection.entries import FIELDS, fields, lines

    if as_csv:
        import csv

        csv.writer(sys.stdout).writerows((FIELDS, *map(fields, chosen)))
        return
    if sys.stdout.isatty():
        shown = (line for entry in chosen for line in lines(entry))
    else:
        shown = ("\t".join(words) for words in (FIELDS, *map(fields, chosen)))
    for line in shown:
        typer.echo(line)


@app.command()
def month(
    site: Annotated[Path, typer.Option("--site", metavar="FILE", help="The site, whose ledger and policy are read.")],
    name: Annotated[
        str | None, typer.Argument(metavar="MONTH", help="Year and month; by default this one.", show_default=False)
    ] = None,
    page: PageFile = None,
    as_json: AsJson = False,
) -> None:
    """Sum up a month: what left and to which run, what each audit said, refusals by word, what is left to give.

    For a steward's files: with --page it is one page that needs nothing else. Months begin and end in UTC. The
    entries themselves: `eyesoff ledger show` with --since, --until and --csv.

    Example: eyesoff ledger month 2026-11 --site /srv/site/site.toml --page november.html
    """
    from datetime import UTC

    from client.site import load_site
    from simulations.steward.month import month_of
    from simulations.steward.month_page import build, lines

    now = datetime.now(UTC)
    told = month_of(load_site(site), name or f"{now:%Y-%m}", now)
    if page is not None:
        write_page(page, build(told))
    if as_json:
        import json

        typer.echo(json.dumps(told.plain(), indent=2))
        return
    for line in lines(told):
        typer.echo(line)


@app.command()
def verify(
    file: File,
    as_json: AsJson = False,
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="HASH", help="A head noted earlier: shows that nothing was cut off since."),
    ] = None,
) -> None:
    """Follow the chain of hashes and name each place where it breaks.

    Prints the head of the chain, to be noted where nobody who writes the ledger can reach. Leaves with status 1 where
    the chain breaks.

    Example: eyesoff ledger verify site/state/ledger.jsonl
    """
    from client.ledger import verify as read

    if head is not None and not re.fullmatch(r"[0-9a-f]{64}", head):
        remedy = "a head is the 64 hexadecimal digits that an earlier `eyesoff ledger verify` printed"
        raise UserError("not a head", where=head or "--head", remedy=remedy)
    verification = read(file, head)
    if as_json:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps({"sound": not verification.problems, **asdict(verification)}, indent=2))
    else:
        for problem in verification.problems:
            typer.echo(problem)
        state = f"{len(verification.problems)} problem(s)" if verification.problems else "ok"
        healed = f", {verification.healed} healed after a crash or a full disk" if verification.healed else ""
        typer.echo(f"{state}: {verification.entries} entries{healed}; head {verification.head}")
    if verification.problems:
        raise typer.Exit(1)


@app.command()
def accept(
    file: File,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Let a keeper go on with a ledger that does not hold what was last written to it, or begin a new one.

    A keeper does not start on a ledger that was shortened, replaced or taken away, for somebody may have hidden what
    left. Find out why first, and keep a copy. What is lost counts no longer: what was released and scored so far may
    be released and scored again. That it was accepted becomes an entry of the ledger.

    Example: eyesoff ledger accept site/state/ledger.jsonl
    """
    from datetime import UTC, datetime

    from client.ledger import Ledger
    from client.seen import LostError, note_of
    from common.files import require_owner

    if not file.exists() and not note_of(file).exists():
        raise UserError("no ledger was ever here", where=file)
    require_owner(file.parent)
    ledger = Ledger(file)
    try:
        ledger.check(datetime.now(UTC))
    except LostError as lost:
        typer.echo(f"{file}: {lost.what}")
        typer.echo("What is lost counts no longer: it may be released and scored again.")
        if not yes:
            typer.confirm("Go on with the ledger as it is?", abort=True)
        entry = Ledger(file).accept(datetime.now(UTC))
        typer.echo(f"accepted: entry {entry.number} says so" if entry else "nothing was lost")
    else:
        typer.echo(f"nothing to accept: {file} holds what was last written to it")
