"""`eyesoff watch`: a run on a page that follows it."""

from pathlib import Path
from typing import Annotated

import typer

from simulations.commands.options import AsJson


def watch(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="A run's folder: of simulate, compare, bootstrap, demo, or a server's.",
            show_default=False,
        ),
    ],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Where to listen; 0: any that is free.")] = 0,
    show: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    as_json: AsJson = False,
) -> None:
    """Serve a page that shows how a run goes: stages, clients, curves, failures, and what has left.

    Start it in another terminal once the run has begun. It only reads the run's folder, and listens on 127.0.0.1
    alone. A run that has ended is shown as it ended. Ctrl-C ends the page, not the run.

    Example: eyesoff watch runs/simulation --open
    """
    import json
    import threading
    import time

    from common.training.interruption import stoppable
    from simulations.live.picture import follow
    from simulations.live.serving import Server, finite

    runs = follow(run)

    def look() -> dict[str, object]:
        return {"now": time.time(), "runs": runs()}

    if as_json:
        typer.echo(json.dumps(finite(look())))
        return
    with stoppable() as stop, Server(look, port) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        typer.echo(f"{run}: {server.address} (Ctrl-C ends this page, not the run)")
        if show:
            typer.launch(server.address)
        while not stop():
            time.sleep(0.2)
        server.shutdown()
    raise typer.Exit(stop.status)
