"""`eyesoff modes`: which rows a comparison may have."""

import typer

from simulations.commands.listing import tell
from simulations.commands.options import AsJson


def modes(as_json: AsJson = False) -> None:
    """List the rows of a comparison as --modes spells them: what recognizers of each read, and are trained on.

    A configuration adds rows of its own by compare.rows.

    Example: eyesoff modes
    """
    import json

    from common.spaces import PATCHES, Space, Vectors
    from simulations.comparison.modes import MODES, SPOKEN

    kinds: dict[str, Space] = {"patches": PATCHES, "vectors": Vectors(set="any", size=1, scale="public")}
    rows = []
    for spoken, name in SPOKEN.items():
        mode = MODES[name]
        read = ", ".join(kind for kind, space in kinds.items() if mode.is_of(space))
        rows.append({"name": spoken, "spaces": read, "trained on": mode.about})
    if as_json:
        typer.echo(json.dumps({"modes": rows}))
    else:
        tell(rows)
