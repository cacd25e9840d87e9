"""`eyesoff features`: which numbers a set of features has, and the vectors of public speech that come with eyesoff."""

from pathlib import Path
from typing import Annotated

import typer

from simulations.commands.options import AsJson, option_pairs

app = typer.Typer(no_args_is_help=True, help="The numbers that describe an utterance, where methods read vectors.")

Set = Annotated[str, typer.Option("--set", metavar="NAME", help="The set, as vectors.set names it.")]
Option = Annotated[
    list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help="Of the set.", show_default=False)
]


@app.command("list")
def list_names(which: Set = "functionals", option: Option = None, as_json: AsJson = False) -> None:
    """Print the names of a set's numbers in their order, after its version, licence and digest.

    Example: eyesoff features list
    """
    import json

    from common.features.sets import feature_set

    own = feature_set(which, tuple(f"{key}={value}" for key, value in option_pairs(option).items()))
    about = {"set": own.name, "version": own.version, "licence": own.licence, "digest": own.digest, "size": own.size}
    if as_json:
        typer.echo(json.dumps({**about, "names": own.names}))
        return
    typer.echo(", ".join(f"{name} {value}" for name, value in about.items()))
    for name in own.names:
        typer.echo(name)


@app.command()
def public(
    root: Annotated[Path, typer.Option("--root", metavar="DIR", help="Folder of LibriSpeech.", show_default=False)],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Where the vectors are written.", show_default=False)],
    corpus: Annotated[str, typer.Option("--corpus", metavar="NAME", help="An unlabelled public corpus.")] = (
        "librispeech"
    ),
    which: Set = "functionals",
) -> None:
    """Make the vectors of public speech that come with eyesoff: three seconds of each of 200 speakers.

    With --set log-mel: the mean spectrum of an utterance of each, for features.normalisation = session.

    Example: eyesoff features public --root data/LibriSpeech --to common/features/public_vectors/functionals
    """
    from common.corpora import read_corpus
    from common.features.public import SPECTRUM, make_public_spectrum, make_public_vectors
    from common.settings import FeatureConfig, RuntimeConfig, VectorConfig

    if which == SPECTRUM:
        count = make_public_spectrum(read_corpus(corpus, root), FeatureConfig(), RuntimeConfig(), to)
        typer.echo(f"mean spectrum of {count} utterances: {to}")
        return
    count = make_public_vectors(read_corpus(corpus, root), VectorConfig(set=which), to)
    typer.echo(f"{count} vectors of {which}: {to}")
