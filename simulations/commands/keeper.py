"""`eyesoff keeper`: the guardian of a site's speech as a process of its own. It needs no network."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from simulations.commands.options import AsJson

app = typer.Typer(no_args_is_help=True, help="Guard a site's speech: answer what its policy allows, write it all down.")

Socket = Annotated[
    Path,
    typer.Option("--socket", metavar="PATH", help="Unix socket that it shares with the relay.", show_default=False),
]


@app.command()
def serve(
    site: Annotated[
        Path, typer.Option("--site", metavar="FILE", help="What the site holds, and where.", show_default=False)
    ],
    socket: Socket,
) -> None:
    """Serve one site until SIGTERM or Ctrl-C; tunings that were interrupted go on at once.

    A tuning outlives whoever asked for it. Asked to stop, it finishes its step, keeps a snapshot and leaves with status
    0, or like a killed process where that takes longer than a minute. The site's own log is keeper.log in its state
    folder, beside the ledger.

    Example: eyesoff keeper serve --site /srv/site/site.toml --socket /run/eyesoff/keeper.sock
    """
    import logging
    import os

    from client.journal import journal
    from client.keeper import Keeper
    from client.service import KeeperServer
    from client.site import load_site, open_to_strangers
    from common.files import locked
    from common.training.interruption import stoppable

    settings = load_site(site)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    log = logging.getLogger("client.serve")
    os.umask(0o077)  # whatever is written from here on is the site's alone
    alone = locked(settings.state / "keeper.lock", wait=False)  # where the relay cannot reach it
    with journal(settings.state), alone, stoppable() as stop:
        for folder in open_to_strangers(settings):
            log.warning("any user of this machine can look into %s; chmod o-rwx would keep it to the site", folder)
        keeper = Keeper(settings)
        with KeeperServer(socket, keeper) as server:
            keeper.resume()
            log.info("keeper of %s: serving on %s", settings.session, socket)
            server.serve_until(stop)
        if not keeper.stop():
            log.warning("stopped in the midst of a step: the tuning goes on from its last snapshot")
            os._exit(stop.status)  # the usual way out would wait for the step
        log.info("stopped as asked")


@app.command()
def status(socket: Socket, as_json: AsJson = False) -> None:
    """Ask a keeper how it is: what it works on, how many entries its ledger has, and the head of their chain.

    Leaves with status 1 where it answers and could let nothing out, for its ledger cannot be written, and with status
    2 where none answers.

    Example: eyesoff keeper status --socket /run/eyesoff/keeper.sock
    """
    from client.service import RemoteKeeper

    told = RemoteKeeper(socket, longest=10.0).status()
    if as_json:
        import json

        typer.echo(json.dumps(told))
    else:
        ledger = f"ledger: {told['entries']} entries, head {told['head']}"
        state = ledger if told["well"] else "it can answer nothing, and keeper.log in its state folder says why"
        typer.echo(f"keeper of {told['session']} (eyesoff {told['eyesoff']}): {_work(told)}; {state}")
    if not told["well"]:
        raise typer.Exit(1)


def _work(told: Mapping[str, Any]) -> str:
    """What a keeper works on."""
    from common.training.reporters import duration

    if not told["tunings"]:
        return "no tuning at work"
    rate, left = told["rate"], told["iterations"] - told["step"]
    pace = f", {rate:.2f} steps a second, {duration(left / rate)} left" if rate else ""
    more = f", {told['tunings'] - 1} more waiting" if told["tunings"] > 1 else ""
    return f"tuning, step {told['step']} of {told['iterations']}{pace}{more}"
