"""`eyesoff doctor`: show what the inspection finds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulations.commands.options import AsJson, Cache, cache_folder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulations.inspection import Finding

COLOURS = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def doctor(
    deep: Annotated[bool, typer.Option("--deep", help="Also start a real Ray; takes some ten seconds more.")] = False,
    cache: Cache = None,
    as_json: AsJson = False,
) -> None:
    """Say whether this machine is ready: versions, processor and GPU, Flower and Ray, telemetry, free space.

    Each finding is ok, warn or fail and comes with its remedy. Leaves with status 1 if anything fails.

    Example: eyesoff doctor --deep
    """
    from simulations.inspection import inspect

    show_findings(inspect(cache_folder(cache), Path("runs").resolve(), deep=deep), as_json=as_json)


def show_findings(found: "Iterable[Finding]", *, as_json: bool) -> None:
    """Each as soon as it is known, or all as one JSON object; status 1 if anything failed."""
    findings = []
    for finding in found:
        findings.append(finding)
        if not as_json:
            _show(finding)
    sound = all(finding.sign != "fail" for finding in findings)
    if as_json:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps({"ok": sound, "findings": [asdict(finding) for finding in findings]}, indent=2))
    if not sound:
        raise typer.Exit(1)


def _show(finding: "Finding") -> None:
    """One row as soon as it is known; all rows share their column widths."""
    from rich import print as show
    from rich.table import Table
    from rich.text import Text

    row = Table.grid(padding=(0, 2))
    row.add_column(width=4)
    row.add_column(width=14)
    row.add_column(overflow="fold")
    words = Text(finding.seen)
    if finding.remedy:
        words.append(f"\n-> {finding.remedy}", style="bold")
    row.add_row(Text(finding.sign, style=COLOURS[finding.sign]), finding.subject, words)
    show(row)
