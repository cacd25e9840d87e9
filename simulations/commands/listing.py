"""What the commands that list methods share: a table of those that there are, and those that cannot be used.

Owns the spelling. Must not know which registry it shows.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from common.registry import Registry


def space_names(kinds: frozenset[type]) -> str:
    """In words, sorted."""
    return ", ".join(sorted(kind.__name__.lower() for kind in kinds))


def show(title: str, rows: Sequence[Mapping[str, str]], registry: "Registry[Any]", as_json: bool) -> None:
    """All rows, and on the error stream what cannot be used."""
    import json

    from rich.console import Console
    from rich.table import Table

    if as_json:
        broken = [{"name": one.name, "reason": one.reason} for one in registry.broken]
        typer.echo(json.dumps({title: rows, "broken": broken}))
        return
    table = Table(*rows[0], title=title, title_justify="left", show_lines=True)
    table.columns[0].no_wrap = True  # a name is copied into a command
    for row in rows:
        table.add_row(*row.values())
    Console(markup=False).print(table)
    for one in registry.broken:
        typer.echo(f"{registry.noun} {one.name} cannot be used: {one.reason}", err=True)
