"""`eyesoff synthesizers`: which ways of making speech from speech there are."""

import typer

from simulations.commands.options import AsJson


def synthesizers(as_json: AsJson = False) -> None:
    """List the synthesizers: where each comes from, what leaves the place where it is fitted, and what it does.

    Example: eyesoff synthesizers
    """
    import json

    from rich.console import Console
    from rich.table import Table

    from common.synthesizers import SYNTHESIZERS

    rows = [
        {"name": one.name, "paper": one.paper, "released": one.released, "about": one.about} for one in SYNTHESIZERS
    ]
    if as_json:
        typer.echo(json.dumps({"synthesizers": rows}))
        return
    table = Table(*rows[0], title="synthesizers", title_justify="left", show_lines=True)
    for row in rows:
        table.add_row(*row.values())
    Console(markup=False).print(table)
