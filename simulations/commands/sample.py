"""`eyesoff sample`: see and hear what a generator has learned."""

from pathlib import Path
from typing import Annotated

import typer

from common.errors import UserError


def sample(
    generator: Annotated[
        Path,
        typer.Argument(
            metavar="FILE_OR_FOLDER",
            help="A release, by its .safetensors file in a bank, or pre-trained networks, by their folder.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go.", show_default=False)],
    emotion: Annotated[
        str | None,
        typer.Option("--emotion", metavar="NAME", help="Draw this one; without it, all.", show_default=False),
    ] = None,
    number: Annotated[int, typer.Option("--number", min=1, max=4096, help="Samples of each emotion.")] = 16,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same files.")] = 0,
    paired: Annotated[
        bool,
        typer.Option("--paired", help="Show each latent under every emotion: a row a latent, a column an emotion."),
    ] = False,
    audio: Annotated[
        bool, typer.Option("--audio", help="Also write wav files, 64 at the most; the phase is a guess (Griffin-Lim).")
    ] = False,
    latent_scale: Annotated[
        float,
        typer.Option(
            "--latent-scale", min=0.05, max=3, help="Spread of the latents: above 1 more varied, below tamer."
        ),
    ] = 1.0,
) -> None:
    """Draw spectrograms from a generator: an array file, a picture, and sound with --audio.

    The array file is read with safetensors.numpy.load_file: `patches`, one of
    128 mels by 128 frames a sample, the natural log of mel power with the lowest
    band first, and `labels`. What they mean, the scaling, the seed and the
    generator's hash are JSON in its metadata, under `eyesoff`.

    A latent depends on the seed and the emotion alone: the angry samples are
    the same with and without the others.

    Pre-trained networks know no emotion yet: they are sampled without
    one, and their labels are -1.

    Example: eyesoff sample runs/demo/bank/Session1-0123456789ab.safetensors --emotion angry --audio --out samples
    """
    from math import isfinite

    from server.generators import open_generator
    from simulations import sampling
    from simulations.progress import bars

    if generator.is_file() and out.resolve() == generator.resolve().parent:
        raise UserError(
            "--out is the bank itself", where=out, remedy="choose another folder: a bank holds releases only"
        )
    if not isfinite(latent_scale):
        raise typer.BadParameter("not a number", param_hint="--latent-scale")
    opened = open_generator(generator)
    samples = sampling.draw(opened, sampling.Order(number, seed, emotion, paired, latent_scale))
    if not opened.tuned:
        typer.echo("pre-trained and not tuned: emotions mean nothing to it yet, so its condition is zero")
    typer.echo(f"{len(samples.labels)} spectrograms: {sampling.save_arrays(samples, out)}")
    typer.echo(f"picture of the first: {sampling.save_sheet(samples, out)}")
    if audio:
        with bars() as open_bar:
            sounds = sampling.save_sounds(samples, out, open_bar("sound"))
        first = "" if len(sounds) == len(samples.labels) else "the first "
        typer.echo(f"{first}{len(sounds)} as sound: {sounds[0]} to {sounds[-1].name}")
