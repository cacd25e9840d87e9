"""`eyesoff synthesizers`, `recognizers`, `protocols`: the methods that there are, and those that cannot be used."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from simulations.commands.options import AsJson

if TYPE_CHECKING:
    from common.registry import Registry


def synthesizers(as_json: AsJson = False) -> None:
    """List the synthesizers: where each comes from, what leaves the place where it is fitted, and what it does.

    Example: eyesoff synthesizers
    """
    from common.synthesizers import SYNTHESIZERS

    rows = [
        {
            "name": one.name,
            "spaces": _spaces(one.spaces),
            "reach": one.reach,
            "paper": one.paper,
            "released": one.released,
            "about": one.about,
        }
        for one in SYNTHESIZERS
    ]
    _show("synthesizers", rows, SYNTHESIZERS, as_json)


def recognizers(as_json: AsJson = False) -> None:
    """List the recognizers: what examples each reads, and what it does.

    Example: eyesoff recognizers
    """
    from common.recognizers import RECOGNIZERS

    rows = [{"name": one.name, "spaces": _spaces(one.spaces), "about": one.about} for one in RECOGNIZERS]
    _show("recognizers", rows, RECOGNIZERS, as_json)


def protocols(as_json: AsJson = False) -> None:
    """List the protocols: where each comes from, whether a campaign can keep to it, and what it cuts.

    Example: eyesoff protocols
    """
    from common.protocols import PROTOCOLS

    rows = [
        {"name": one.name, "campaign": "no" if one.cuts is None else "yes", "paper": one.paper, "about": one.about}
        for one in PROTOCOLS
    ]
    _show("protocols", rows, PROTOCOLS, as_json)


def _spaces(kinds: frozenset[type]) -> str:
    return ", ".join(sorted(kind.__name__.lower() for kind in kinds))


def _show(title: str, rows: Sequence[Mapping[str, str]], registry: "Registry[Any]", as_json: bool) -> None:
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
