"""`eyesoff compare`: what synthetic speech is worth, mode beside mode under one protocol."""

from pathlib import Path
from typing import Annotated

import typer

from simulations import completion
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


def compare(
    run: Annotated[Path, typer.Option("--run", metavar="DIR", help="Run directory: results and evidence.")] = Path(
        "runs/comparison"
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
    protocol: Annotated[
        str | None,
        typer.Option(
            "--protocol",
            metavar="NAME",
            help="How speech is cut; `eyesoff protocols` lists them. By default as set.",
            autocompletion=completion.protocols,
        ),
    ] = None,
    modes: Annotated[
        str,
        typer.Option(
            "--modes",
            metavar="NAME,..",
            help="Some of them only, such as real,federated. By default those of the configuration's compare.modes.",
            show_default=False,
            autocompletion=completion.modes,
        ),
    ] = "",
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=100, help="How many, counted up from the seed.")] = 3,
    folds: Annotated[
        str, typer.Option("--folds", metavar="SESSION,..", help="Leave out these sessions only.", show_default=False)
    ] = "",
    base: Annotated[
        Path | None,
        typer.Option("--base", metavar="DIR", help="Pre-trained networks; by default the shipped ones of this width."),
    ] = None,
    units: Annotated[
        Path | None,
        typer.Option("--units", metavar="DIR", help="Where finished units lie; runs may share it. By default the run."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=0, max=256, help="Processes; by default one a core. 0: none but this, to debug."),
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option(
            "--backend",
            help="processes, or ray: tasks on the cluster of RAY_ADDRESS, which is the default where that is set.",
            show_default=False,
        ),
    ] = None,
    ablate: Annotated[
        str,
        typer.Option(
            "--ablate",
            metavar="SETTING,..",
            help="Also turn settings the other way, one by one, in federated training: all, or a list such as "
            "finetuning.average.",
            show_default=False,
        ),
    ] = "",
    models: Annotated[
        bool, typer.Option("--models", help="Also write every recognizer as a model that `recognize` uses.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare what recognizers are trained on, such as real speech and federated samples; `eyesoff modes` lists all.

    Every unit of work is kept: stop it at any time and give the same command again; add a mode or a seed, and only
    what is new is computed. A unit that fails is named, the others go on, and the exit status is 1.

    Example: eyesoff compare --preset emodb --root data/EMO-DB --seeds 3 --run runs/emodb

    Example: eyesoff compare --preset emodb --root data/EMO-DB --protocol imbalance --run runs/imbalance

    Example: eyesoff compare --preset emodb --root data/EMO-DB --run runs/emodb --ablate sampling.latent_scale
    """
    import json
    import os

    from rich.console import Console

    from simulations.progress import busy, printer

    with busy("starting"):
        from common.training.interruption import stoppable
        from simulations.comparison.running import BACKENDS, PROCESSES, RAY, Order, Stopped, run_comparison
        from simulations.comparison.schema import plain
        from simulations.comparison.table import ablation_lines, aside_lines, failure_lines, tables_of
        from simulations.report.writing import write_report

    protocols = [f"methods.protocol={protocol}"] * (protocol is not None)
    cut = [*corpus_overrides(corpus, root, skew, skew_seed, cache, option, skip_bad=skip_bad), *protocols]
    config = choose_config(preset, config_file, [*(overrides or []), *cut])
    where = backend or (RAY if os.environ.get("RAY_ADDRESS") else PROCESSES)
    if where not in BACKENDS:
        raise typer.BadParameter(f"{where}: choose one of {', '.join(BACKENDS)}", param_hint="--backend")
    chosen = (_names(modes), seeds, _names(folds))
    turned, command = _names(ablate), placeless_command()
    order = Order(run, *chosen, base, units, workers, command, turned, backend=where, models=models)
    with stoppable() as stop:
        try:
            results = run_comparison(config, order, Console(stderr=True, markup=False), stop)
        except Stopped:
            typer.echo("stopped as asked; the same command goes on from here", err=True)
            raise typer.Exit(stop.status) from None
    if as_json:
        typer.echo(json.dumps(plain(results)))
    else:
        for table in tables_of(results):
            printer().print(table)
        for line in ablation_lines(results):
            typer.echo(line)
    with busy("drawing the report"):
        page = write_report(run)
    if not as_json:
        typer.echo(f"report: {page}, beside everything of this run")
    for line in (*aside_lines(results), *failure_lines(results)):
        typer.echo(line, err=True)
    if results.failures:
        raise typer.Exit(1)


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip())
