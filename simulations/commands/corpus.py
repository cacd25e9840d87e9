"""`eyesoff corpus`: what a folder of speech holds.

Owns the table that a person reads. Must not count: `common.corpora.description` does.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulations import completion
from simulations.commands.options import AsJson, Cache, Option, SkipBad, cache_folder, finite, option_pairs

if TYPE_CHECKING:
    from rich.console import Console

_ROWS = 20
"""Sessions shown one by one; LibriSpeech has thousands."""

app = typer.Typer(no_args_is_help=True, help="Look at a corpus before a run leans on it.")


@app.command()
def example(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.", show_default=False)],
) -> None:
    """Write eighty recordings of the built-in corpus with their table: something to try every command on.

    Five sessions, two speakers each, four emotions. A program made the voices; nobody speaks. Your own recordings
    have the same form: a folder, and a table with the columns path, emotion, session and speaker.

    Example: eyesoff corpus example recordings
    """
    from common.corpora.builtin import write_example
    from simulations.progress import bars

    with bars() as open_bar:
        table = write_example(folder, open_bar("recordings"))
    typer.echo(f"eighty recordings and their table: {table}")


@app.command()
def describe(
    name: Annotated[
        str,
        typer.Argument(
            help="librispeech, iemocap, emodb, mspimprov, ravdess, cremad, audformat, lhotse, audiofolder, table, "
            "files, joint or builtin.",
            show_default=False,
            autocompletion=completion.corpora,
        ),
    ],
    root: Annotated[
        Path | None,
        typer.Option(
            "--root",
            metavar="DIR",
            help="The corpus's folder, or the table itself; the built-in corpus needs none.",
            show_default=False,
        ),
    ] = None,
    emotions: Annotated[
        str, typer.Option("--emotions", metavar="A,B,...", help="The labels, in order; other recordings are left out.")
    ] = "neutral,angry,sad,happy",
    option: Option = None,
    skip_bad: SkipBad = False,
    headers: Annotated[
        bool, typer.Option("--headers", help="Look at headers alone: faster, and what is damaged inside passes.")
    ] = False,
    trim: Annotated[
        float,
        typer.Option(
            "--trim",
            metavar="DECIBELS",
            min=0,
            max=120,
            help="Cut off ends so many below the loudest frame before it listens, as vectors.trim or features.trim of "
            "a run does; 0 cuts nothing.",
        ),
    ] = 40.0,
    cache: Cache = None,
    as_json: AsJson = False,
) -> None:
    """Count utterances by session, speaker and emotion, and name every file that cannot be used.

    Leaves with status 2 where a file is damaged, unless --skip-bad.

    Example: eyesoff corpus describe emodb --root ~/corpora/EMO-DB
    """
    from common.corpora import corpus_root, read_corpus
    from common.corpora.description import describe as count
    from common.features.building import usable
    from common.features.listening import faults
    from simulations.progress import bars, printer

    folder = corpus_root(name, root, cache_folder(cache))
    labels = [label.strip() for label in emotions.split(",")]
    with bars() as open_bar:
        manifest = read_corpus(
            name,
            folder,
            emotions=labels,
            skip_bad=skip_bad,
            progress=open_bar("looking at recordings"),
            options=option_pairs(option),
        )
        if not headers:
            bad = faults(manifest, finite(trim), progress=open_bar("listening to them"))
            manifest = usable(manifest, bad, skip_bad=skip_bad)
    description = count(manifest)
    if as_json:
        import json

        typer.echo(json.dumps(description, indent=2))
    else:
        show_description(description, printer())


def show_description(description: dict[str, Any], console: "Console") -> None:
    """Print a table of sessions by emotions, and below it what the table has no column for."""
    from rich.table import Table

    emotions = description["emotions"]
    table = Table(title=f"{description['corpus']} at {description['root']}", title_justify="left")
    table.add_column("session")
    for column in (*emotions, "all"):
        table.add_column(column, justify="right")
    sessions = description["sessions"]
    for session in list(sessions)[:_ROWS]:
        cells = [description["emotions_by_session"][session][emotion] for emotion in emotions]
        table.add_row(session, *map(str, cells), str(sessions[session]))
    if len(sessions) > _ROWS:
        table.add_row(f"and {len(sessions) - _ROWS} more", *["" for _ in emotions], "")
    table.add_section()
    table.add_row("all", *map(str, emotions.values()), str(description["utterances"]))
    console.print(table)
    for line in _facts(description):
        console.print(line, markup=False, highlight=False)


def _facts(description: dict[str, Any]) -> list[str]:
    """What the table has no column for, a line each."""
    from common.corpora.labels import complaints
    from common.corpora.manifest import BadFile

    durations = description["durations"]
    told = {"unknown": "of unknown sex"}
    sexes = ", ".join(f"{count} {told.get(sex, sex)}" for sex, count in description["speakers_by_sex"].items())
    facts = [
        f"speakers: {len(description['speakers'])} ({sexes})",
        f"speech: {description['seconds'] / 60:.1f} minutes; an utterance lasts {durations['min']:.1f} to "
        f"{durations['max']:.1f} s, median {durations['median']:.1f} s",
        f"content: {description['content_hash']}",
    ]
    if description["files"] < description["utterances"]:
        facts.append(f"parts of recordings: the utterances lie in {description['files']} files")
    if splits := ", ".join(f"{name} {count}" for name, count in description["splits"].items()):
        facts.append(f"its own split, for --protocol split: {splits}")
    if left_out := ", ".join(f"{emotion} {count}" for emotion, count in description["left_out"].items()):
        facts.append(f"left out, for they are of other emotions: {left_out}")
    facts += [f"note: {note}" for note in description["notes"]]
    facts += [f"skipped: {line}" for line in complaints(BadFile(**file) for file in description["skipped"])]
    if missing := [emotion for emotion, count in description["emotions"].items() if not count]:
        facts.append(f"warning: no recording of {', '.join(missing)}")
    facts += [
        f"warning: speaker {speaker} is in {' and '.join(sessions)}; leaving one session out will be refused"
        for speaker, sessions in description["speakers_in_several_sessions"].items()
    ]
    return facts
