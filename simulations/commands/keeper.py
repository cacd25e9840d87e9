"""`eyesoff keeper`: the guardian of a site's speech as a process of its own. It needs no network."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulations.commands.options import AsJson, PageFile, write_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.acceptance import Proposal
    from client.policy import Policy

app = typer.Typer(no_args_is_help=True, help="Guard a site's speech: answer what its policy allows, write it all down.")
accepting = typer.Typer(no_args_is_help=True, help="Accept public networks or a recipe: read what it is, say yes.")
app.add_typer(accepting, name="accept")

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


WhichSite = Annotated[Path, typer.Option("--site", metavar="FILE", help="The site.", show_default=False)]
Name = Annotated[str, typer.Argument(metavar="NAME", help="As the inbox lists it.", show_default=False)]


@app.command()
def inbox(site: WhichSite, as_json: AsJson = False, page: PageFile = None) -> None:
    """List finished releases: for whom they were made, what the audit of each says, and what you answered.

    Whether an audit is made, and whether one waits for you, is rule `release` of the site's policy. With --page the
    same is written as one page for a browser, in words and with a picture of each audit. It is for you alone.

    Example: eyesoff keeper inbox --site /srv/site/site.toml

    Example: eyesoff keeper inbox --site /srv/site/site.toml --page inbox.html
    """
    from client.inbox import inbox as read
    from client.site import load_site

    settings = load_site(site)
    found = read(settings)
    if page is not None:
        from client.policy import load_policy
        from simulations.steward.inbox_page import build

        write_page(page, build(found, load_policy(settings.policy), settings.session, site.resolve()))
    if as_json:
        import json

        listed = [
            {
                "name": one.name,
                "run": one.tuning.run,
                "synthesizer": one.tuning.synthesizer,
                "release": one.release,
                "verdict": None if one.verdict is None else one.verdict.model_dump(mode="json"),
                "answer": one.answer,
                "held": one.held,
                "bytes": one.size,
            }
            for one in found
        ]
        typer.echo(json.dumps({"releases": listed}, indent=2))
        return
    for one in found:
        for line in one.lines():
            typer.echo(line)
    if not found:
        typer.echo("no release is finished")


@app.command()
def approve(name: Name, site: WhichSite) -> None:
    """Let a finished release go. It leaves when the server asks again; copies cannot be called back.

    Your answer holds for these very weights, stands on the release's card and in the ledger.

    Example: eyesoff keeper approve 3f2a --site /srv/site/site.toml
    """
    from client.inbox import answer
    from client.site import load_site

    one = answer(load_site(site), name, "approved")
    typer.echo(f"{one.name} may leave when run {one.tuning.run} asks again; it stands in the ledger")


@app.command()
def refuse(name: Name, site: WhichSite) -> None:
    """Keep a finished release back, whatever its audit says. The server is told only that it is held.

    Example: eyesoff keeper refuse 3f2a --site /srv/site/site.toml
    """
    from client.inbox import answer
    from client.site import load_site

    one = answer(load_site(site), name, "kept-back")
    typer.echo(f"{one.name} stays here; it stands in the ledger")


SiteFile = Annotated[
    Path, typer.Option("--site", metavar="FILE", help="Site whose policy is changed.", show_default=False)
]
Yes = Annotated[bool, typer.Option("--yes", help="Accept without being asked.")]


@accepting.command(name="recipe")
def accept_recipe(
    source: Annotated[str, typer.Argument(metavar="FILE", help="Configuration, such as config.toml of a run.")],
    site: SiteFile,
    yes: Yes = False,
) -> None:
    """Let servers run the recipe of a configuration here: its synthesizer, its settings, the form of its release.

    The server's people send you the config.toml of their run. You read here what it asks for and what of it is
    unusual. The bounds of your policy hold for an accepted recipe too. The keeper reads its policy when it starts.

    Example: eyesoff keeper accept recipe config.toml --site /srv/site/site.toml
    """
    from client.acceptance import propose_recipe
    from common.config import load_config

    _accept(lambda policy: propose_recipe(load_config(source), policy.bounds), site, yes=yes)


@accepting.command(name="base")
def accept_base(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder `pretrained` of a pre-training.")],
    site: SiteFile,
    yes: Yes = False,
) -> None:
    """Let tunings start here from these public networks. They are looked at with noise; no speech is read.

    The networks that come with eyesoff are accepted by default.

    Example: eyesoff keeper accept base pretrained --site /srv/site/site.toml
    """
    from client.acceptance import propose_base

    _accept(lambda policy: propose_base(folder, policy.bounds), site, yes=yes)


def _accept(propose: "Callable[[Policy], Proposal]", site: Path, *, yes: bool) -> None:
    """Show, ask, write."""
    from client.acceptance import accept
    from client.policy import load_policy
    from client.site import load_site
    from common.errors import UserError

    policy = load_site(site).policy
    if policy is None:
        remedy = 'write policy = "policy.toml" into it; an empty file there is the default policy'
        raise UserError("the site names no policy file", where=site, remedy=remedy)
    current = load_policy(policy)
    proposal = propose(current)
    typer.echo(f"{proposal.rule}: {proposal.digest}")
    for line in proposal.facts:
        typer.echo(f"  {line}")
    for line in proposal.unusual:
        typer.echo(f"  unusual: {line}")
    if not proposal.unusual:
        typer.echo("  nothing of it is unusual")
    if proposal.is_accepted(current):
        typer.echo(f"{policy} lists it already")
        return
    if not yes and not typer.confirm(f"Accept it at {site}?"):
        raise typer.Exit(1)
    accept(proposal, policy)
    typer.echo(f"{policy} lists it now; start the keeper again for it to hold")
