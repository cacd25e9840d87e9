"""`eyesoff model`: look at a trained model, and take it to other tools."""

from pathlib import Path
from typing import Annotated

import typer

from simulations.commands.options import AsJson

app = typer.Typer(no_args_is_help=True, help="Look at a trained model, and export it to other tools.")

Folder = Annotated[Path, typer.Argument(metavar="MODEL", help="A model's folder.", show_default=False)]


@app.command()
def show(folder: Folder, as_json: AsJson = False) -> None:
    """Say what a model is: method, labels, training data, licence, scores.

    Example: eyesoff model show runs/bootstrap/recognizers/everyone/model
    """
    from common.recognizers.card import page_of
    from common.recognizers.model import load_model

    card = load_model(folder).card
    typer.echo(card.model_dump_json(indent=2) if as_json else page_of(card), nl=as_json)


@app.command("export")
def export_(
    folder: Folder,
    target: Annotated[Path, typer.Argument(help="A new file; its ending is added.", show_default=False)],
    form: Annotated[str, typer.Option("--to", help="torch (torch.export, .pt2) or onnx (.onnx).")] = "torch",
) -> None:
    """Write a model as one program that other tools run, and beside it in JSON what goes in and comes out.

    What goes in are windows of log-mels, or vectors, of up to 32 at a time; what
    comes out are probabilities in the order of the labels. ONNX needs eyesoff's
    extra `onnx`.

    Example: eyesoff model export runs/bootstrap/recognizers/everyone/model emotions --to onnx
    """
    from common.recognizers.exporting import export_model
    from common.recognizers.model import load_model

    path = export_model(load_model(folder), target, form)
    typer.echo(f"program: {path}")
    typer.echo(f"what goes in and comes out: {path.with_suffix('.json')}")
