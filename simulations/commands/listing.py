"""What the commands that list methods share: a table of those that there are, and those that cannot be used.

Owns the spelling. Must not know which registry it shows.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from common.registry import Registry


def space_names(kinds: frozenset[type]) -> str:
    """In words, sorted."""
    return ", ".join(sorted(kind.__name__.lower() for kind in kinds))


def show(title: str, registry: "Registry[Any]", row_of: Callable[[Any], Mapping[str, str]], as_json: bool) -> None:
    """A row for each method, and on the error stream what cannot be used."""
    import json

    from rich.table import Table

    from common.config.added import section_kinds
    from simulations.progress import printer

    section_kinds()  # which finds those whose sections have the name of another's
    rows = [row_of(one) for one in registry]
    if as_json:
        broken = [{"name": one.name, "reason": one.reason} for one in registry.broken]
        typer.echo(json.dumps({title: rows, "broken": broken}))
        return
    table = Table(*rows[0], title=title, title_justify="left", show_lines=True)
    table.columns[0].no_wrap = True  # a name is copied into a command
    for row in rows:
        table.add_row(*row.values())
    printer().print(table)
    for one in registry.broken:
        typer.echo(f"{registry.noun} {one.name} cannot be used: {one.reason}", err=True)
