"""`eyesoff bootstrap`: a recognizer from a bank of generators, when the speech and its keepers are gone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulations import completion
from simulations.commands.options import (
    AsJson,
    Cache,
    ConfigFile,
    Overrides,
    Preset,
    choose_config,
    corpus_overrides,
    placeless_command,
)

if TYPE_CHECKING:
    from server.bank import Bank


def bootstrap(
    bank: Annotated[
        Path, typer.Option("--bank", metavar="BANK", help="A run's bank/ folder, or the zip file of an export.")
    ],
    run: Annotated[Path, typer.Option("--run", metavar="DIR", help="Where the recognizer goes.")],
    preset: Preset = None,
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    corpus: Annotated[
        str | None,
        typer.Option(
            "--corpus",
            metavar="NAME",
            help="Also score it on this corpus, of other speakers.",
            autocompletion=completion.corpora,
        ),
    ] = None,
    root: Annotated[str | None, typer.Option("--root", metavar="DIR", help="The corpus's folder.")] = None,
    cache: Cache = None,
    as_json: AsJson = False,
) -> None:
    """Train a recognizer from a bank alone, on what its generators draw.

    What comes out is a model: a folder that `eyesoff recognize` uses, and that needs nothing else.

    SIGTERM or Ctrl-C finishes the step, keeps it and leaves; the same line again goes on from there.
    One that is finished is left as it is, and nothing is written over another one: choose another --run.

    Without --preset and --config the bank decides: preset best where it holds vectors, else demo.

    A corpus to score on must be of other speakers than the generators': this
    command cannot know whose those were. The scores go into the model's card.

    Example: eyesoff bootstrap --bank runs/simulation/bank --run runs/bootstrap --corpus emodb --root data/EMO-DB
    """
    import json

    from rich.console import Console

    from simulations.progress import busy

    with busy("starting"):
        from common.corpora import corpus_root, read_corpus
        from common.recognizers.model import load_model
        from common.training.interruption import stoppable
        from common.training.phases import Interrupted
        from common.training.reporters import ProgressBar, StatusLines
        from server.bootstrap import bootstrap as train
        from server.opening import opened_bank
        from simulations.comparison.bootstrapped import bootstrapped
        from simulations.comparison.modes import ABLATED
        from simulations.comparison.schema import plain
        from simulations.report.writing import write_report

    chosen = [*(overrides or ()), *corpus_overrides(cache=cache)]
    console = Console(stderr=True, markup=False)
    reporter = ProgressBar(console) if console.is_terminal else StatusLines(lambda line: typer.echo(line, err=True))
    with opened_bank(bank) as opened:
        config = choose_config(preset, config_file, chosen, default=_reading(opened))
        with stoppable() as stop:
            try:
                model = train(config, opened, run, reporter, stop)
            except Interrupted as stopped:
                typer.echo(f"{stopped}: the same line goes on", err=True)
                raise typer.Exit(stop.status) from None
            finally:
                reporter.close()
        with busy("scoring" if corpus else "looking at the generators"):
            speech = None
            if corpus:
                labels = load_model(model).card.labels
                speech = read_corpus(corpus, corpus_root(corpus, root, config.runtime.cache_folder), emotions=labels)
            results = bootstrapped(config, opened, run, model, speech, placeless_command())
    with busy("drawing the report"):
        page = write_report(run)
    if as_json:
        typer.echo(json.dumps({"model": str(model), **plain(results)}))
        return
    typer.echo(f"model: {model}")
    for metric, score in results.modes[ABLATED].scores.items():
        typer.echo(f"{metric} on {corpus}: {score.mean:.3f} [{score.low:.3f}, {score.high:.3f}], n = {score.n}")
    typer.echo(f"report: {page}")
    if corpus:
        typer.echo(results.protocol, err=True)
    typer.echo(f"try it: eyesoff recognize {model} {load_model(model).card.given}", err=True)


def _reading(bank: "Bank") -> str:
    """The preset whose recognizer reads what a bank holds."""
    from common.spaces import Vectors

    return "best" if any(isinstance(one.card.tuning.space, Vectors) for one in bank.banked()) else "demo"
