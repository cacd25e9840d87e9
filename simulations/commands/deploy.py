"""`eyesoff deploy`: the federation between machines that do not trust each other."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulations.commands.options import (
    AsJson,
    ConfigFile,
    Corpus,
    Overrides,
    Preset,
    Root,
    choose_config,
    corpus_overrides,
    placeless_command,
)

if TYPE_CHECKING:
    from simulations.deployment.layout import Layout
    from simulations.deployment.settings import Settings
    from simulations.federation.submission import Connection

app = typer.Typer(
    no_args_is_help=True,
    help="Run the federation across machines: certificates, keys, checks, and the campaign itself.\n\n"
    "The server's people call `init`, hand each site its folder, and start the server; each site runs `check` and "
    "starts its keeper and its relay; then the server's people call `run`. `local` rehearses all of it on one machine.",
)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The deployment's folder.", show_default=False)]


@app.command()
def init(
    folder: Folder,
    hosts: Annotated[
        list[str] | None,
        typer.Option("--host", help="Name or address by which sites reach the server; the first is written to them."),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="The proxy's, which sites reach.")] = 8443,
    sites: Annotated[
        list[str] | None,
        typer.Option(
            "--site", metavar="NAME", help="A site; may be repeated. With none at first, a corpus's sessions."
        ),
    ] = None,
    days: Annotated[
        int, typer.Option("--days", min=1, max=3650, help="How long the server's certificates are good.")
    ] = 365,
    renew: Annotated[bool, typer.Option("--renew", help="Make the server's certificates anew.")] = False,
    preset: Preset = None,
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    corpus: Corpus = None,
    root: Root = None,
) -> None:
    """Write certificates, keys, site files, policies and settings; what is there already stays as it is.

    Example: eyesoff deploy init deployment --host fed.example.org --site clinic --site lab

    Example: eyesoff deploy init rehearsal --preset small --corpus emodb --root data/EMO-DB
    """
    from simulations.deployment.creation import create, describe, known_names, sessions_as_sites, sites_elsewhere
    from simulations.deployment.layout import Layout
    from simulations.deployment.settings import read_settings

    config = choose_config(preset, config_file, [*(overrides or []), *corpus_overrides(corpus, root)])
    layout, newcomers = Layout(folder), sites_elsewhere(config, sites or ())
    if layout.settings.exists():
        settings = read_settings(layout.settings)
        hosts, port = hosts or known_names(layout), settings.port
        hosts = list(dict.fromkeys((settings.server, *hosts)))
    elif not sites:
        newcomers = sessions_as_sites(config)
    made = create(layout, hosts or ["localhost"], port, newcomers, days=days, renew=renew)
    for line in made or ["nothing was missing"]:
        typer.echo(line)
    if not made:
        typer.echo(f"certificate of the proxy: {describe(layout.proxy.certificate('proxy'))}")
    elif not sites:
        asked = f"--config {config_file}" if config_file else f"--preset {config.name}"
        typer.echo(f"next: `eyesoff deploy local {folder}`; in another terminal `eyesoff deploy run {folder} {asked}`")


@app.command()
def certificates(
    folder: Folder,
    authority: Annotated[
        Path, typer.Option("--authority", metavar="FILE", help="The authority's own certificate, as PEM.")
    ],
    certificate: Annotated[
        Path, typer.Option("--certificate", metavar="FILE", help="The server's, then those of authorities between.")
    ],
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="Its private key, without a passphrase.")],
) -> None:
    """Give the proxy a certificate of an authority of yours, such as your hospital's, in place of the deployment's own.

    Key, dates, names, use and chain are looked at first; what is wrong is named in one line, and nothing is changed.
    Sites then trust that authority as well: whoever it gives this server's name to can pretend to be the server.

    Example: eyesoff deploy certificates deployment --authority hospital.crt --certificate fed.crt --key fed.key
    """
    from simulations.deployment.given import take

    layout, settings, _ = _open(folder)
    for line in take(layout, settings.server, authority, certificate, key):
        typer.echo(line)


@app.command()
def check(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A site's folder, or the whole deployment's.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Verify a site before it starts: certificates, key, server, clock, data, policy, disk, GPU, each with its remedy.

    Of a whole deployment's folder it verifies the server's part: also that its ports are free. Leaves with status 1 if
    anything fails.

    Example: eyesoff deploy check /srv/eyesoff/clinic

    Example: eyesoff deploy check deployment
    """
    from simulations.commands.doctor import show_findings
    from simulations.deployment.checks import check_server, check_site
    from simulations.deployment.layout import Layout, SiteFiles

    files = SiteFiles.of(folder)
    if files.keeper.is_dir() or files.relay.is_dir():
        show_findings(check_site(files), as_json=as_json)
        return
    layout = Layout(folder)
    layout.require()
    show_findings(check_server(layout), as_json=as_json)


@app.command("add-client")
def add_client(
    folder: Folder,
    name: Annotated[str, typer.Argument(help="Its name: small letters, digits and hyphens.", show_default=False)],
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="Its public key, where it has made its own pair.")
    ] = None,
    preset: Preset = None,
) -> None:
    """Make a site's folder, unless it brings a key, and register it at the running SuperLink; no restart is needed.

    Example: eyesoff deploy add-client deployment clinic
    """
    from common.files import atomic_write
    from simulations.deployment.creation import add_site, sites_elsewhere
    from simulations.deployment.keys import read_public
    from simulations.deployment.registry import Registry
    from simulations.deployment.sessions import keep_session

    layout, settings, link = _open(folder)
    public = layout.server.public_keys / f"{name}.pub"
    (newcomer,) = sites_elsewhere(choose_config(preset, None, None), [name])
    registry = Registry(link, layout.book)
    registry.require_free(name)  # before anything is written: the keys that lie here are registered at every start
    if key:
        read_public(key)
        atomic_write(public, key.read_bytes())
        typer.echo(f"it needs {layout.server.authority} and reaches the server at {settings.address}")
    else:
        for line in add_site(layout, newcomer, settings.server, settings.port):
            typer.echo(line)
    keep_session(layout.server.sessions, name, newcomer.session)
    typer.echo(f"registered {name} as node {registry.register(name, public)}")


@app.command("revoke-client")
def revoke_client(
    folder: Folder,
    name: Annotated[str, typer.Argument(help="A name that `status` shows.", show_default=False)],
) -> None:
    """Turn a site's key away at the running SuperLink, at once and for good. What it sent stays in the bank.

    Example: eyesoff deploy revoke-client deployment clinic
    """
    from simulations.deployment.registry import Registry

    layout, _, link = _open(folder)
    number = Registry(link, layout.book).revoke(name)
    (layout.server.public_keys / f"{name}.pub").unlink(missing_ok=True)  # else the next start would register it
    typer.echo(f"revoked {name}, node {number}")
    typer.echo(
        "its generators are still in the bank: `eyesoff bank list` names them, `eyesoff bank remove` deletes them"
    )


@app.command()
def register(folder: Folder) -> None:
    """Register every site's public key that the running SuperLink does not know yet.

    Example: eyesoff deploy register deployment
    """
    from simulations.deployment.registry import Registry

    layout, _, link = _open(folder)
    new = Registry(link, layout.book).register_missing(layout.server.public_keys)
    typer.echo(f"registered: {', '.join(new) or 'nobody new'}")


@app.command()
def proxy(
    files: Annotated[Path, typer.Argument(metavar="DIR", help="The proxy's files.", show_default=False)],
    superlink: Annotated[str, typer.Option("--superlink", metavar="HOST:PORT", help="Where the SuperLink is.")],
    host: Annotated[str, typer.Option("--host", help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen at.")] = 8443,
) -> None:
    """Serve the fleet's paths and the health check to sites, and nothing else, until SIGTERM.

    Example: eyesoff deploy proxy deployment/proxy --superlink 127.0.0.1:8000 --host 0.0.0.0
    """
    import logging
    import signal
    import threading

    from server.proxy import open_proxy
    from simulations.deployment.commands import PROXY
    from simulations.deployment.layout import ServerFiles
    from simulations.deployment.settings import split_address

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    own = ServerFiles(files)
    identity = (own.certificate(PROXY), own.key(PROXY))
    with open_proxy((host, port), *identity, split_address(superlink), own.authority) as opened:
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_: threading.Thread(target=opened.shutdown).start())
        logging.getLogger(__name__).info("serving on %s:%d for %s", host, port, superlink)
        opened.serve_forever()


@app.command()
def run(
    folder: Folder,
    run: Annotated[Path, typer.Option("--run", metavar="DIR", help="Run directory: all that comes out.")] = Path(
        "runs/deployment"
    ),
    preset: Preset = None,
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    base: Annotated[
        Path | None,
        typer.Option("--base", metavar="DIR", help="Pre-trained networks; by default those shipped with the preset."),
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option("--plan", help="A protocol, by default that of methods.protocol, or everyone for production."),
    ] = None,
    expect: Annotated[
        int | None, typer.Option("--expect", min=1, help="Sites to wait for; by default all that are registered.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where this run stopped, or begin it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Submit a campaign to the SuperLink and follow it to its true end: status 0 only where it came to one.

    The run directory must be within reach of the SuperExec, under the same path. Ctrl-C stops the following, not the
    campaign; the same command with --resume asks only for what the bank lacks.

    Example: eyesoff deploy run deployment --preset small --run runs/spring
    """
    import json
    import time

    from rich.console import Console

    from common.config.unnamed import default_base
    from simulations.comparison.campaign import conclude
    from simulations.comparison.schema import plain
    from simulations.comparison.table import aside_lines, failure_lines, table_of
    from simulations.deployment.campaign import run_deployed
    from simulations.deployment.registry import Registry
    from simulations.deployment.sessions import holders_of, read_sessions
    from simulations.federation.watching import Watch
    from simulations.progress import printer
    from simulations.report.wording import many
    from simulations.report.writing import write_report

    began = time.monotonic()
    layout, _, link = _open(folder)
    config = choose_config(preset, config_file, overrides)
    console = Console(stderr=True, markup=False)
    nodes = Registry(link, layout.book).nodes()
    holders = holders_of(nodes, read_sessions(layout.server.sessions))
    base = base or default_base(config)
    with Watch(run, console) as watch:
        outcome = run_deployed(
            link,
            run,
            config,
            base,
            plan=plan,
            expected=expect or len(nodes),
            resume=resume,
            holders=holders,
            watch=watch,
        )
    spoken = f"speech of {many(len(outcome.sessions), 'site')}"
    results = conclude(run, config, base, outcome, placeless_command(), began, corpus=spoken)
    page = write_report(run)
    if as_json:
        typer.echo(json.dumps(plain(results)))
    else:
        printer().print(table_of(results))
        typer.echo(f"report: {page}, beside everything of this run")
    for line in (*aside_lines(results), *failure_lines(results)):
        typer.echo(line, err=True)


@app.command()
def status(
    folder: Folder,
    run: Annotated[Path | None, typer.Option("--run", metavar="DIR", help="Also tell how this run goes.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show which sites are registered and online, the runs, and the stages and failures of one of them.

    Example: eyesoff deploy status deployment --run runs/spring
    """
    import json

    from simulations.deployment.status import status_of

    layout, settings, link = _open(folder)
    told = status_of(layout, settings, link, run)
    if as_json:
        typer.echo(json.dumps(told.plain(), indent=2))
    else:
        for line in told.lines():
            typer.echo(line)


@app.command()
def local(folder: Folder) -> None:
    """Start the server and every site here as plain processes on loopback, until Ctrl-C: TLS, keys and proxy as ever.

    Whatever dies is started again. In another terminal `eyesoff deploy run` submits a campaign. Whoever has an account
    on this machine can reach the SuperLink's own port: this is for rehearsals.

    Example: eyesoff deploy local rehearsal
    """
    import logging
    import time

    from common.training.interruption import stoppable
    from simulations.deployment.local import local_deployment

    logging.basicConfig(format="%(message)s", level=logging.INFO)
    layout, settings, _ = _open(folder)
    with stoppable() as stop, local_deployment(layout, settings, layout.sites) as deployment:
        typer.echo(f"{len(layout.sites)} sites at {settings.address}; logs in {layout.state / 'logs'}; Ctrl-C ends it")
        typer.echo(f"in another terminal: eyesoff deploy run {folder}, with the --preset or --config of `deploy init`")
        while not stop():
            for line in deployment.processes.tend():
                typer.echo(line, err=True)
            time.sleep(0.5)


def _open(folder: Path) -> "tuple[Layout, Settings, Connection]":
    from simulations.deployment.layout import Layout
    from simulations.deployment.local import link_to
    from simulations.deployment.settings import read_settings

    layout = Layout(folder.resolve())  # its processes work elsewhere
    layout.require()
    settings = read_settings(layout.settings)
    return layout, settings, link_to(layout, settings)
