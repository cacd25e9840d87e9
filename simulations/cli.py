"""The command `eyesoff`: mounts the command groups and turns what went wrong into one line and an exit status.

Owns the exit statuses: 0 done, 1 a check that failed, 2 a mistake the reader can mend, 70 a mistake of ours,
130 Ctrl-C. Must not know what any command does. Command modules import torch and the rest inside their functions,
so that `eyesoff --help` answers at once.
"""

import sys
from collections.abc import Sequence
from typing import Annotated

import click
import typer

from common.errors import UserError
from simulations import telemetry
from simulations.commands import (
    audit,
    bank,
    bench,
    bootstrap,
    compare,
    config,
    corpus,
    demo,
    deploy,
    doctor,
    features,
    keeper,
    ledger,
    model,
    modes,
    pretrain,
    protocols,
    recognize,
    recognizers,
    report,
    sample,
    simulate,
    synthesizers,
    tour,
    watch,
)

MISTAKE, OURS = 2, 70

app = typer.Typer(
    name="eyesoff",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Federated, eyes-off speech emotion recognition: generators travel, speech stays.\n\n"
    "Start with [bold]eyesoff doctor[/bold], which says whether this machine is ready, "
    "then [bold]eyesoff demo[/bold] or [bold]eyesoff tour[/bold]. "
    "Every command explains itself with [bold]--help[/bold].",
    rich_markup_mode="rich",
)
FIRST, TRAIN, FEDERATE = "Start here", "Train and listen", "Federate"

app.command(rich_help_panel=FIRST)(doctor.doctor)
app.command(rich_help_panel=FIRST)(demo.demo)
app.command(rich_help_panel=FIRST)(tour.tour)
app.add_typer(config.app, name="config", rich_help_panel=FIRST)
app.add_typer(corpus.app, name="corpus", rich_help_panel=FIRST)
app.add_typer(features.app, name="features", rich_help_panel=FIRST)
app.add_typer(bench.app, name="bench", rich_help_panel=FIRST)
app.command(rich_help_panel=TRAIN)(pretrain.pretrain)
app.command(rich_help_panel=TRAIN)(sample.sample)
app.command(rich_help_panel=TRAIN)(recognize.recognize)
app.add_typer(model.app, name="model", rich_help_panel=TRAIN)
app.command(rich_help_panel=FEDERATE)(simulate.simulate)
app.command(rich_help_panel=FEDERATE)(compare.compare)
app.command(rich_help_panel=FEDERATE)(watch.watch)
app.command(rich_help_panel=FEDERATE)(report.report)
app.command(rich_help_panel=FEDERATE)(modes.modes)
app.command(rich_help_panel=FEDERATE)(synthesizers.synthesizers)
app.command(rich_help_panel=FEDERATE)(recognizers.recognizers)
app.command(rich_help_panel=FEDERATE)(protocols.protocols)
app.command(rich_help_panel=FEDERATE)(bootstrap.bootstrap)
app.command(rich_help_panel=FEDERATE)(audit.audit)
app.add_typer(deploy.app, name="deploy", rich_help_panel=FEDERATE)
app.add_typer(bank.app, name="bank", rich_help_panel=FEDERATE)
app.add_typer(keeper.app, name="keeper", rich_help_panel=FEDERATE)
app.add_typer(ledger.app, name="ledger", rich_help_panel=FEDERATE)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"eyesoff {version('eyesoff')}")
        raise typer.Exit


@app.callback()
def _everywhere(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave."),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; works in any place.")] = False,
) -> None:
    """Hold the options that stand before any command."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with a true exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    telemetry.switch_off()
    try:
        # `--debug` is taken out here, for a person types it after the command that failed.
        status = app([word for word in words if word != "--debug"], prog_name="eyesoff", standalone_mode=False)
    except UserError as error:
        _leave(f"error: {error}", MISTAKE, debug)
    except click.exceptions.NoArgsIsHelpError as asked:
        asked.show()
        sys.exit(MISTAKE)
    except click.UsageError as error:
        _leave(f"error: {_usage(error)}", MISTAKE, debug)
    except click.Abort:
        _leave("stopped", 1, debug)
    except Exception as error:  # a person at a terminal needs a line, not a stack
        line = " ".join(f"{type(error).__name__}: {error}".split())
        _leave(f"internal error: {line} (run again with --debug for the traceback)", OURS, debug)
    else:
        sys.exit(status or 0)


def _usage(error: click.UsageError) -> str:
    """What was typed wrongly, in one line as every other mistake."""
    line = " ".join(error.format_message().split()).removesuffix(".")
    return f"{line}; `{error.ctx.command_path} --help` explains it" if error.ctx else line


def _leave(line: str, status: int, debug: bool) -> None:
    if debug:
        import traceback

        traceback.print_exc()
    typer.echo(line, err=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
