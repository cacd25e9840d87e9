"""`eyesoff recognize`: what a trained model hears in recordings.

Owns how it is shown: lines as they come, CSV or JSON. Must not know how a recording is heard.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from common.errors import UserError
from simulations.commands.options import AsJson

if TYPE_CHECKING:
    from common.recognizers.hearing import Heard, Listener


def recognize(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A model's folder, such as `bootstrap` writes.", show_default=False)
    ],
    recordings: Annotated[
        list[Path],
        typer.Argument(metavar="WAV...", help="Recordings, or folders of them, at any depth.", show_default=False),
    ],
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            "--beside",
            metavar="PLACE",
            help="Recordings of the same people and microphone, or a folder of them, for a model that compares a "
            "recording with others. They get no answer of their own.",
        ),
    ] = None,
    windows: Annotated[
        bool, typer.Option("--windows", help="Also tell of every two seconds, half a second apart.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a CSV table: a row a recording, or a window.")] = False,
    as_json: AsJson = False,
    device: Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Tell the emotion that a model hears in each recording, with the probability of every emotion.

    Recordings of any rate and number of channels are brought to 16 kHz mono first.
    One that cannot be heard (damaged, silent, too short) is named on standard error,
    the others go on, and the status is 2.

    Example: eyesoff recognize runs/bootstrap/recognizers/everyone/model interview.wav --windows

    Example: eyesoff recognize runs/bootstrap/recognizers/everyone/model recordings/ --csv > emotions.csv

    Example: eyesoff recognize runs/bootstrap/recognizers/everyone/model new.wav --beside recordings/
    """
    if as_csv and as_json:
        raise UserError("--csv and --json both name a form", remedy="give one of them")
    from common.networks.acceleration import Acceleration
    from common.recognizers.hearing import Listener, recordings_in
    from common.recognizers.model import load_model
    from common.settings import RuntimeConfig

    try:
        runtime = RuntimeConfig(device=device, precision="fp32")
    except ValueError:
        raise UserError("no such device", where=device, remedy="choose auto, cpu, cuda or cuda:N") from None
    opened, paths = load_model(model), recordings_in(recordings)
    # fp32, so that the same recording has the same answer on every machine, to the last digits that are shown.
    machine = Acceleration.of(runtime)
    listener = Listener(opened, machine, session=recordings_in([*recordings, *(beside or ())]))
    failed: list[dict[str, str]] = []
    heard = _heard(listener, paths, windows, failed)
    if as_json:
        _print_json(model, opened.card.labels, heard, failed)
    elif as_csv:
        _print_csv(opened.card.labels, heard, windows)
    else:
        for one in heard:
            for line in _lines(one):
                typer.echo(line)
    if failed:
        raise typer.Exit(2)


def _heard(listener: "Listener", paths: list[Path], windows: bool, failed: list[dict[str, str]]) -> Iterator["Heard"]:
    """One after the other, as soon as it is heard; what cannot be is told at once and counted in `failed`."""
    from common.corpora.audio import AudioError

    for path, one in zip(paths, listener.hear_all(paths, windows=windows), strict=True):
        if isinstance(one, AudioError):
            failed.append({"path": str(path), "reason": one.reason})
            typer.echo(f"error: {one}", err=True)
            continue
        if one.note:
            typer.echo(f"{one.path}: {one.note}", err=True)
        yield one
        sys.stdout.flush()


def _lines(one: "Heard") -> Iterator[str]:
    yield f"{one.path}: {one.emotion} ({_odds(one.labels, one.probabilities)})"
    for window in one.windows:
        yield f"  {window.start:6.2f} to {window.end:6.2f} s: {_odds(one.labels, window.probabilities)}"


def _odds(labels: tuple[str, ...], probabilities: tuple[float, ...]) -> str:
    """The most probable first."""
    ranked = sorted(zip(probabilities, labels, strict=True), key=lambda pair: -pair[0])
    return ", ".join(f"{label} {probability:.2f}" for probability, label in ranked)


def _print_csv(labels: tuple[str, ...], heard: Iterator["Heard"], windows: bool) -> None:
    import csv

    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["path", "start", "end", "emotion", *labels])
    for one in heard:
        parts = [(w.start, w.end, w.probabilities) for w in one.windows] if windows else []
        for start, end, probabilities in parts or [(0.0, one.seconds, one.probabilities)]:
            best = labels[max(range(len(labels)), key=probabilities.__getitem__)]
            numbers = [f"{probability:.4f}" for probability in probabilities]
            table.writerow([one.path, f"{start:.3f}", f"{end:.3f}", best, *numbers])


def _print_json(model: Path, labels: tuple[str, ...], heard: Iterator["Heard"], failed: list[dict[str, str]]) -> None:
    import json

    found = [_plain(one) for one in heard]  # before `failed` is looked at, for hearing fills it
    told = {"model": str(model), "labels": list(labels), "recordings": found, "failed": failed}
    typer.echo(json.dumps(told, indent=2))


def _plain(one: "Heard") -> dict[str, Any]:
    about = {"path": str(one.path), "seconds": one.seconds, "rate": one.rate, "emotion": one.emotion}
    windows = [
        {"start": w.start, "end": w.end, "probabilities": dict(zip(one.labels, w.probabilities, strict=True))}
        for w in one.windows
    ]
    about["probabilities"] = dict(zip(one.labels, one.probabilities, strict=True))
    return about | ({"windows": windows} if windows else {})
