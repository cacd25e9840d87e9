"""`eyesoff simulate`: the whole campaign on this machine or cluster, sessions as clients."""

from pathlib import Path
from typing import Annotated

import typer

from simulations.commands.options import (
    AsJson,
    Cache,
    ConfigFile,
    Corpus,
    Option,
    Overrides,
    Preset,
    Root,
    Skew,
    SkewSeed,
    SkipBad,
    choose_config,
    corpus_overrides,
    placeless_command,
)


def simulate(
    run: Annotated[Path, typer.Option("--run", metavar="DIR", help="Run directory: all that comes out.")] = Path(
        "runs/simulation"
    ),
    preset: Preset = None,
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    corpus: Corpus = None,
    root: Root = None,
    option: Option = None,
    skip_bad: SkipBad = False,
    cache: Cache = None,
    skew: Skew = None,
    skew_seed: SkewSeed = None,
    base: Annotated[
        Path | None,
        typer.Option("--base", metavar="DIR", help="Pre-trained networks; by default those shipped with the preset."),
    ] = None,
    backend: Annotated[str, typer.Option("--backend", help="ray (Flower on Ray) or serial (neither).")] = "ray",
    plan: Annotated[
        str | None,
        typer.Option("--plan", help="A protocol, by default that of methods.protocol, or everyone for production."),
    ] = None,
    real: Annotated[bool, typer.Option("--real/--no-real", help="Also train on the real speech, to compare.")] = True,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where this run stopped, or begin it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a campaign here: each session a client, tuned through Flower and Ray, its generator banked and pooled.

    An existing Ray cluster is used when RAY_ADDRESS names it. Ctrl-C or SIGTERM stops everything; --resume goes on.

    Example: eyesoff simulate --preset small --corpus emodb --root data/EMO-DB --run runs/emodb
    """
    import json

    from rich.console import Console

    from simulations.progress import busy, printer

    with busy("starting"):
        from common.training.interruption import tidied_up
        from simulations.comparison.campaign import simulate_campaign
        from simulations.comparison.schema import plain
        from simulations.comparison.table import aside_lines, failure_lines, table_of
        from simulations.federation.campaign import BACKENDS
        from simulations.report.writing import write_report

    if backend not in BACKENDS:
        raise typer.BadParameter(f"{backend}: choose one of {', '.join(BACKENDS)}", param_hint="--backend")
    cut = corpus_overrides(corpus, root, skew, skew_seed, cache, option, skip_bad=skip_bad)
    config = choose_config(preset, config_file, [*(overrides or []), *cut])
    console = Console(stderr=True, markup=False)
    try:
        with tidied_up():
            results = simulate_campaign(
                config,
                run,
                base,
                backend=backend,
                plan=plan,
                with_real=real,
                resume=resume,
                console=console,
                command=placeless_command(),
            )
            with busy("drawing the report"):
                page = write_report(run)
    except (KeyboardInterrupt, SystemExit):
        console.print(f"stopped; the same command with --resume goes on in {run}", highlight=False)
        raise
    if as_json:
        typer.echo(json.dumps(plain(results)))
    else:
        printer().print(table_of(results))
        typer.echo(f"report: {page}, beside everything of this run")
    for line in (*aside_lines(results), *failure_lines(results)):
        typer.echo(line, err=True)
