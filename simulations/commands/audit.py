"""`eyesoff audit`: what a bank's releases tell of whose speech they were fitted to."""

from pathlib import Path
from typing import Annotated

import typer

from simulations.commands.options import (
    AsJson,
    Cache,
    ConfigFile,
    Corpus,
    Overrides,
    Preset,
    Root,
    choose_config,
    corpus_overrides,
)

Sessions = Annotated[
    list[str] | None,
    typer.Option(
        "--members", metavar="SESSION", help="Sessions with a release; all of the bank's by default; may be repeated."
    ),
]
Others = Annotated[
    list[str] | None,
    typer.Option(
        "--strangers", metavar="SESSION", help="Sessions to tell them from; all others by default; may be repeated."
    ),
]


def audit(
    bank: Annotated[Path, typer.Argument(metavar="BANK", help="A bank's folder, or the zip file of an export.")],
    members: Sessions = None,
    strangers: Others = None,
    samples: Annotated[int, typer.Option("--samples", min=256, help="Drawn from each release.")] = 4096,
    preset: Preset = None,
    config_file: ConfigFile = None,
    corpus: Corpus = None,
    root: Root = None,
    cache: Cache = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Tell members from strangers by a bank's releases: for whoever has the speech of a simulation's sites.

    A release scores each utterance by how near its samples come, beside what the other releases give it. Half of the
    pairs told right is chance. What is told may be a voice or a room; a site's own audit, which throws coins, tells
    utterances (`release` in its policy).

    Example: eyesoff audit runs/best/bank --preset best --corpus emodb --root data/EMO-DB
    """
    from simulations.progress import busy

    with busy("starting"):
        from server.opening import opened_bank
        from simulations.inspection.auditing import audit_bank

        config = choose_config(preset, config_file, [*(overrides or ()), *corpus_overrides(corpus, root, cache=cache)])
    with busy("auditing the releases"), opened_bank(bank) as opened:
        told = audit_bank(config, opened, members or (), strangers or (), samples)
    if as_json:
        import json

        scored = {name: getattr(told.found, name) for name in ("auc", "low", "high")}
        counted = {"members": told.members, "strangers": told.strangers}
        typer.echo(json.dumps({**scored, **counted, "releases": dict(told.each)}))
        return
    for session, auc in told.each.items():
        typer.echo(f"{session}: {auc:.3f} of pairs of a member and a stranger are told apart")
    found, n = told.found, f"{told.members} members, {told.strangers} strangers"
    typer.echo(f"all releases: {found.auc:.3f} [{found.low:.3f}, {found.high:.3f}], {n}; 0.5 is chance")
