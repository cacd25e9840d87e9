"""`eyesoff keeper accept`: a steward reads what a recipe or public networks are, and says yes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulations.commands.options import SiteFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.acceptance import Proposal
    from client.policy import Policy
    from common.config import Config

app = typer.Typer(no_args_is_help=True, help="Accept public networks or a recipe: read what it is, say yes.")

Yes = Annotated[bool, typer.Option("--yes", help="Accept without being asked.")]


@app.command(name="recipe")
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

    _accept(lambda policy: propose_recipe(_told(source), policy.bounds), site, yes=yes)


@app.command(name="base")
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


def _told(source: str) -> "Config":
    """A preset, or the configuration in a file that tells something of a recipe: else every default is accepted."""
    from client.recipes import sets_one
    from common.config import load_config
    from common.config.loading import PRESETS
    from common.config.reading import read_toml
    from common.errors import UserError

    config, remedy = load_config(source), "ask the server's people for the config.toml of their run"
    if source not in PRESETS:
        tree = read_toml(Path(source), "configuration", remedy=remedy)
        if not sets_one(tree, config):
            what = "the file sets nothing that a recipe is made of, and would accept every default"
            raise UserError(what, where=source, remedy=remedy)
    return config


def _accept(propose: "Callable[[Policy], Proposal]", site: Path, *, yes: bool) -> None:
    """Show, ask, write."""
    from client.acceptance import accept
    from client.policy import load_policy
    from client.site import load_site
    from common.errors import UserError
    from common.files import require_owner

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
    require_owner(policy)  # it is replaced, by a file of whoever gives the command
    if not yes and not typer.confirm(f"Accept it at {site}?"):
        typer.echo(f"nothing was accepted: {policy} is as it was")
        raise typer.Exit(1)
    accept(proposal, policy)
    typer.echo(f"{policy} lists it now; start the keeper again for it to hold")
