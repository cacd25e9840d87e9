"""`eyesoff keeper peer`: keys that two sites share, for sums that nobody sees a part of."""

from pathlib import Path
from typing import Annotated

import typer

from simulations.commands.options import SiteFile

app = typer.Typer(no_args_is_help=True, help="Share a key with another site, for sums that nobody sees a part of.")

Peer = Annotated[str, typer.Argument(metavar="NAME", help="The other site's session.", show_default=False)]
KeyFile = Annotated[Path, typer.Argument(metavar="KEYFILE", help="The key that both share.", show_default=False)]


@app.command("make")
def make_peer(
    name: Peer,
    to: KeyFile,
    site: SiteFile,
) -> None:
    """Make a key that your site shares with another one, and put it into a file for that site's steward.

    One of the two stewards makes it. Bring it by a way that the server's people cannot read, and delete the file then.

    Example: eyesoff keeper peer make clinic-b clinic-b.key --site /srv/site/site.toml
    """
    from client.peers import Peers, new_key, write_key
    from client.site import load_site
    from common.errors import UserError

    settings = load_site(site)
    if to.exists():
        raise UserError("a file is there already", where=to, remedy="name another one")
    key = new_key()
    Peers(settings.state).keep(name, key, of=settings.session)
    write_key(to, key)
    typer.echo(f"{settings.session} shares a key with {name} now; bring {to} to its steward, who says")
    typer.echo(f"  eyesoff keeper peer accept {settings.session} {to.name} --site FILE")


@app.command("accept")
def accept_peer(
    name: Peer,
    key: KeyFile,
    site: SiteFile,
) -> None:
    """Keep the key that another site's steward brought you. The file can be deleted then.

    Example: eyesoff keeper peer accept clinic-a clinic-b.key --site /srv/site/site.toml
    """
    from client.peers import Peers, read_key
    from client.site import load_site

    settings = load_site(site)
    Peers(settings.state).keep(name, read_key(key), of=settings.session)
    typer.echo(f"{settings.session} shares a key with {name} now; {key} can be deleted")


@app.command("list")
def list_peers(site: SiteFile) -> None:
    """Name the sites with which yours shares a key, and say whether its policy takes part in sums.

    Example: eyesoff keeper peer list --site /srv/site/site.toml
    """
    from client.peers import Peers
    from client.policy import load_policy
    from client.site import load_site

    settings = load_site(site)
    for name in Peers(settings.state).names():
        typer.echo(name)
    if "sum" not in load_policy(settings.policy).allow:
        typer.echo("your policy takes part in no sum: rule `allow` lacks 'sum'")
