"""`eyesoff bench`: how fast this machine is at what takes long.

Owns the options and the tables. Must not measure: `simulations.benchmarks` does.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from simulations.commands.options import AsJson, Cache, cache_folder, finite, placeless_command

app = typer.Typer(no_args_is_help=True, help="Measure this system against plain versions of itself.")


@app.callback()
def _group() -> None:
    """Keep each command a word of its own."""


def _print_json(figures: Mapping[str, Any]) -> None:
    import json

    typer.echo(json.dumps({"command": placeless_command(), **figures}, indent=2))


@app.command()
def features(
    corpus: Annotated[str, typer.Option("--corpus", help="Whose speech to extract from.")] = "builtin",
    root: Annotated[
        Path | None,
        typer.Option(
            "--root", metavar="DIR", help="The corpus's folder; the built-in one needs none.", show_default=False
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, callback=finite, help="How much speech a turn is.")
    ] = 300.0,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads that each contestant may use.")] = 1,
    cache: Cache = None,
    as_json: AsJson = False,
) -> None:
    """Time log-mels against librosa and torchaudio, and the cache against extracting anew.

    The contestants take turns in one process; each ratio is a median, with its range over the rounds.

    Example: eyesoff bench features --corpus emodb --root ~/corpora/EMO-DB
    """
    from common.corpora import corpus_root, read_corpus
    from simulations.benchmarks.features import bench_features
    from simulations.progress import bars

    folder = corpus_root(corpus, root, cache_folder(cache))
    with bars() as open_bar:
        manifest = read_corpus(corpus, folder, progress=open_bar(corpus))
    figures = bench_features(manifest, seconds, threads)
    if as_json:
        _print_json(figures)
    else:
        _show_features(figures)


def _show_features(figures: dict[str, Any]) -> None:
    from rich import print as show
    from rich.table import Table

    title = "{seconds_of_speech} s of {corpus}, {utterances} utterances, threads: {threads}".format(**figures)
    table = Table("times faster", "median", "range", title=title)
    for name, meaning in (
        ("ratio_vs_librosa", "log-mels than librosa's mels"),
        ("ratio_vs_torchaudio", "log-mels than torchaudio's mels"),
        ("cache_speedup", "the cache than extracting anew"),
    ):
        least, most = figures[f"{name}_range"]
        table.add_row(meaning, f"{figures[name]}", f"{least} to {most}")
    show(table)
    rates = Table("vectors of", "utterances of 2.8 s a second", "range")
    for name, rate in figures["vectors_a_second"].items():
        rates.add_row(name, f"{rate['median']}", "{} to {}".format(*rate["range"]))
    show(rates)


@app.command()
def federation(
    seconds_per_tuning: Annotated[
        float,
        typer.Option("--seconds-per-tuning", min=1, callback=finite, help="About how long each tuning is to take."),
    ] = 20.0,
    as_json: AsJson = False,
) -> None:
    """Time a campaign through Flower and Ray against its bare tunings; weigh the server and what clients send.

    Five tunings at the width of the preset demo, once bare and once in a campaign: at the default a few minutes on a
    machine with two free cores. What a campaign takes besides is about the same for long tunings as for short ones.

    Example: eyesoff bench federation --seconds-per-tuning 60
    """
    from rich.console import Console

    from common.config import load_config
    from simulations.benchmarks.federation import bench_federation

    def tell(line: str) -> None:
        typer.echo(line, err=True)

    figures = bench_federation(load_config("demo"), seconds_per_tuning, tell=tell, console=Console(stderr=True))
    if as_json:
        _print_json(figures)
    else:
        for name in ("overhead", "server_memory_ratio", "wire_ratio"):
            typer.echo(f"{name.replace('_', ' '):20} {figures[name]}")
        timed = (
            "{tunings} tunings of {iterations} steps, {at_once} at once: {federated_seconds} s, bare {bare_seconds} s"
        )
        typer.echo(timed.format(**figures))


@app.command()
def ledger(as_json: AsJson = False) -> None:
    """Time an entry in a site's ledger when its day has 5,000 against when it has 50.

    Both ledgers take turns in one process; each time is a median. It takes about a minute.

    Example: eyesoff bench ledger
    """
    from simulations.benchmarks.ledger import bench_ledger

    figures = bench_ledger()
    if as_json:
        _print_json(figures)
        return
    for number, taken in zip(figures["entries"], figures["milliseconds"], strict=True):
        typer.echo(f"an append after {number:,} entries of the day: {taken} ms")
    typer.echo(f"ratio {figures['ratio']}")


@app.command()
def step(
    preset: Annotated[str, typer.Option("--preset", help="Whose width: demo, small or paper.")] = "demo",
    batch: Annotated[int, typer.Option("--batch", min=1, help="Patches in a step.")] = 32,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Turns of each that are counted.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Time a training step of every stage against the plain loop: fp32, default layout, textbook double backward.

    Both train in turn in one process and from the same start; each ratio is a median, with its range over the turns.

    Example: eyesoff bench step --preset small
    """
    from common.config import load_config
    from simulations.benchmarks.step import bench_step

    def tell(stage: str, found: Mapping[str, float]) -> None:
        rates = f"{found['ratio']:.2f} times the plain loop, {found['iterations_per_second']:.2f} steps a second"
        typer.echo(f"{stage}: {rates}", err=True)

    figures = bench_step(load_config(preset), batch, steps, tell)
    if as_json:
        _print_json(figures)
    else:
        _show_step(figures)


def _show_step(figures: dict[str, Any]) -> None:
    from rich import print as show
    from rich.table import Table

    peak, device = figures["peak_flops"] / 1e9, figures["device"]
    where = f"{figures['threads']} threads" if device == "cpu" else device
    table = Table(title=f"width {figures['width']:g}, batch {figures['batch']}, {figures['precision']}, {where}")
    share_of = f"share of {peak:.0f} GFLOP/s"
    for heading in ("stage", "times as fast as the plain loop", "range", "steps a second", share_of):
        table.add_column(heading)
    for stage, found in figures["stages"].items():
        span = f"{found['ratio_low']:.2f} to {found['ratio_high']:.2f}"
        rate, share = f"{found['iterations_per_second']:.2f}", f"{found['share_of_peak']:.0%}"
        table.add_row(stage, f"{found['ratio']:.2f}", span, rate, share)
    show(table)


@app.command()
def fits(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Synthesizers of vectors; all where none is named.")
    ] = None,
    preset: Annotated[str, typer.Option("--preset", help="Whose settings.")] = "small",
    as_json: AsJson = False,
) -> None:
    """Time one fit of each synthesizer of vectors on as many rows as a session has, in seconds of one processor.

    About two minutes for all of them.

    Example: eyesoff bench fits adan wadan
    """
    from common.config import load_config
    from simulations.benchmarks.fits import bench_fits

    def tell(name: str, found: Mapping[str, float]) -> None:
        typer.echo(f"{name}: {found['processor_seconds']} s of a processor, {found['steps']} steps", err=as_json)

    figures = bench_fits(load_config(preset), names or (), tell=tell)
    if as_json:
        _print_json(figures)
