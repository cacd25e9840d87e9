"""`eyesoff keeper`: the guardian of a site's speech as a process of its own. It needs no network."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from simulations.commands import keeper_accept, keeper_peer
from simulations.commands.options import (
    AsJson,
    ConfigFile,
    Overrides,
    PageFile,
    Preset,
    SiteFile,
    choose_config,
    write_page,
)

app = typer.Typer(no_args_is_help=True, help="Guard a site's speech: answer what its policy allows, write it all down.")
app.add_typer(keeper_accept.app, name="accept")
app.add_typer(keeper_peer.app, name="peer")

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
    log_form: Annotated[
        Literal["text", "json"], typer.Option("--log", help="Form of the log, here and in keeper.log: text or json.")
    ] = "text",
) -> None:
    """Serve one site until SIGTERM or Ctrl-C; tunings that were interrupted go on at once.

    A tuning outlives whoever asked for it. Asked to stop, it finishes its step, keeps a snapshot and leaves with status
    0, or like a killed process where that takes longer than a minute. The site's own log is keeper.log in its state
    folder, beside the ledger.

    Example: eyesoff keeper serve --site /srv/site/site.toml --socket /run/eyesoff/keeper.sock
    """
    import os

    from client.journal import formatter, journal
    from client.keeper import Keeper
    from client.service import KeeperServer
    from client.site import load_site, open_to_strangers
    from common.files import locked
    from common.training.interruption import stoppable

    logging.basicConfig(format="%(message)s", level=logging.INFO)
    for handler in logging.root.handlers:
        handler.setFormatter(formatter(log_form, "%(message)s"))
    log = logging.getLogger("client.serve")
    with _ending_as(log_form):
        settings = load_site(site)
        os.umask(0o077)  # whatever is written from here on is the site's alone
        alone = locked(settings.state / "keeper.lock", wait=False)  # where the relay cannot reach it
    with _ending_as(log_form), journal(settings.state, log_form), alone, stoppable() as stop:
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


@contextmanager
def _ending_as(log_form: str) -> Iterator[None]:
    """Let the line of an error have the form of the others: a collector of JSON reads no plain one."""
    from common.errors import UserError

    try:
        yield
    except UserError as error:
        if log_form == "text":
            raise
        logging.getLogger("eyesoff").error("error: %s", error)
        raise typer.Exit(2) from None


@app.command()
def status(
    socket: Annotated[
        Path | None, typer.Option("--socket", metavar="PATH", help="Ask the keeper at this socket how it is.")
    ] = None,
    site: Annotated[
        Path | None, typer.Option("--site", metavar="FILE", help="Read how the site stands from its own files.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell how a keeper is (--socket), and how its site stands (--site); at least one of them.

    A keeper tells what it works on, how many entries its ledger has, and the head of their chain. The site's files
    tell what it holds, its policy in words, what is used and left of each quota, how many releases wait for your
    answer, and until when the certificates beside it are good.

    Leaves with status 1 where it answers and could let nothing out, for its ledger cannot be written, or where the
    site's ledger is broken, and with status 2 where none answers.

    Example: eyesoff keeper status --socket /run/eyesoff/keeper.sock

    Example: eyesoff keeper status --site /srv/site/site.toml
    """
    import json

    from common.errors import UserError

    if socket is None and site is None:
        raise UserError("neither a keeper nor a site was named", remedy="pass --socket, --site, or both")
    told: dict[str, Any] = {"well": True}
    lines: list[str] = []
    if socket is not None:
        from client.service import RemoteKeeper

        told = RemoteKeeper(socket, longest=10.0).status()
        lines.append(_keeper_line(told))
    if site is not None:
        from datetime import UTC, datetime

        from client.site import load_site
        from simulations.steward.status import standing_of

        standing = standing_of(load_site(site), site.resolve().parent, datetime.now(UTC))
        told |= {"site": standing.plain(), "well": told["well"] and not standing.problems}
        lines += standing.lines()
    for line in [json.dumps(told)] if as_json else lines:
        typer.echo(line)
    if not told["well"]:
        raise typer.Exit(1)


@app.command()
def metrics(
    socket: Socket,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FILE", help="Write them here, for the textfile collector of node_exporter."),
    ] = None,
) -> None:
    """Print a keeper's counts in Prometheus' text format: whether it is well, tunings, quotas used and their limits.

    Prometheus reads no Unix socket, so a timer writes them to a file; containers/systemd has one. They count requests
    and tell nothing of the speech, for the relay may read them too. Where no keeper answers, the file says that it is
    not well, and the command leaves with status 2. Where one is there and busy, the file stays as it was.

    Example: eyesoff keeper metrics --socket /run/eyesoff/keeper.sock --to /var/lib/node-exporter/eyesoff.prom
    """
    from client.metrics import unwell
    from client.service import Busy, RemoteKeeper
    from common.errors import UserError
    from common.files import atomic_write

    try:
        told = RemoteKeeper(socket, longest=10.0).metrics()
    except Busy:  # whoever holds every connection, such as a relay, shall raise no false alarm
        raise
    except UserError:
        if to is not None:  # else the counts of a keeper that was well stay there, and no alarm is raised
            atomic_write(to, unwell().encode())
        raise
    if to is None:
        typer.echo(told, nl=False)
    else:
        atomic_write(to, told.encode())


def _keeper_line(told: Mapping[str, Any]) -> str:
    """How a keeper is."""
    ledger = f"ledger: {told['entries']} {'entry' if told['entries'] == 1 else 'entries'}, head {told['head']}"
    state = ledger if told["well"] else "it can answer nothing, and keeper.log in its state folder says why"
    return f"keeper of {told['session']} (eyesoff {told['eyesoff']}): {_work(told)}; {state}"


def _work(told: Mapping[str, Any]) -> str:
    """What a keeper works on."""
    from client.activity import AUDITING
    from common.training.reporters import duration

    if not told["tunings"]:
        return "no tuning at work"
    rate, left = told["rate"], told["iterations"] - told["step"]
    doing = told.get("doing", "tuning")
    whole = "of this twin" if doing.startswith(AUDITING) else "left"
    pace = f", {rate:.2f} steps a second, {duration(left / rate)} {whole}" if rate else ""
    more = f", {told['tunings'] - 1} more waiting" if told["tunings"] > 1 else ""
    return f"{doing}, step {told['step']} of {told['iterations']}{pace}{more}"


Name = Annotated[str, typer.Argument(metavar="NAME", help="As the inbox lists it.", show_default=False)]


@app.command()
def inbox(site: SiteFile, as_json: AsJson = False, page: PageFile = None) -> None:
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
                "damaged": one.damaged,
                "changed": one.changed,
                "left": None if one.left is None else one.left.isoformat(),
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
def approve(name: Name, site: SiteFile) -> None:
    """Let a finished release go. It leaves when the server asks again; copies cannot be called back.

    Your answer holds for these very weights, stands on the release's card and in the ledger.

    Example: eyesoff keeper approve 3f2a --site /srv/site/site.toml
    """
    from client.inbox import answer
    from client.site import load_site

    one = answer(load_site(site), name, "approved")
    said = "was not audited" if one.verdict is None else f"says {one.verdict.word}"
    typer.echo(
        f"{one.name}, whose audit {said}, leaves when run {one.tuning.run} asks again. Your answer stands in the ledger"
    )
    typer.echo("tell the server's people that it may be asked for: a run that has ended is gone on with by --resume")


@app.command()
def refuse(name: Name, site: SiteFile) -> None:
    """Keep a finished release back, whatever its audit says. The server is told only that it is held.

    Example: eyesoff keeper refuse 3f2a --site /srv/site/site.toml
    """
    from client.inbox import RECALL, answer
    from client.site import load_site

    one = answer(load_site(site), name, "kept-back")
    stays = "stays here" if one.left is None else f"left at {one.left:%Y-%m-%d %H:%M} UTC, and leaves no more; {RECALL}"
    typer.echo(f"{one.name} {stays}. Your answer stands in the ledger")


@app.command("dry-run")
def dry_run(
    site: SiteFile,
    preset: Preset = None,
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    base: Annotated[
        Path | None,
        typer.Option("--base", metavar="DIR", help="Pre-trained networks; by default those shipped with the preset."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what the keeper would answer to a recipe, and what would leave. Nothing is sent, charged or written down.

    It reads your recordings as the keeper does: which it would use, which it would leave out and why. It judges the
    recipe by your policy and by what your ledger holds. Features are made in a folder that is deleted at the end.

    Example: eyesoff keeper dry-run --site /srv/site/site.toml --preset best

    Example: eyesoff keeper dry-run --site /srv/site/site.toml --config config.toml
    """
    from datetime import UTC, datetime

    from client.ledger import entries
    from client.policy import load_policy
    from client.rehearsal import rehearse
    from client.site import load_site
    from client.spending import Spending
    from client.standing import history_of, quotas
    from client.survey import survey
    from simulations.progress import bars
    from simulations.steward.dry_run import lines, plain

    settings, config, now = load_site(site), choose_config(preset, config_file, overrides), datetime.now(UTC)
    policy, surveyed = load_policy(settings.policy), survey(settings)
    with bars() as open_bar:
        found = rehearse(settings, policy, config, now, base, open_bar("reading recordings"))
    if as_json:
        import json

        typer.echo(json.dumps(plain(surveyed, found), indent=2))
        return
    known = entries(settings.ledger) if settings.ledger.exists() else ()
    given = quotas(history_of(known, now), Spending(settings.ledger).read(), policy)
    for line in lines(surveyed, found, policy, given):
        typer.echo(line)
