"""`eyesoff sample`: see and hear what a generator has learned."""

from pathlib import Path
from typing import Annotated

import typer

from common.errors import UserError
from simulations.commands.options import finite
from simulations.report.wording import many


def sample(
    generator: Annotated[
        Path,
        typer.Argument(
            metavar="FILE_OR_FOLDER",
            help="A release, by its .safetensors file in a bank; a whole bank, by its folder or the zip file of an "
            "export; or pre-trained networks, by their folder.",
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
        bool,
        typer.Option("--audio", help="Also write wav files, 64 at the most, or all of a bank's; the phase is a guess."),
    ] = False,
    latent_scale: Annotated[
        float,
        typer.Option(
            "--latent-scale",
            min=0.05,
            max=3,
            callback=finite,
            help="Spread of the latents: above 1 more varied, below tamer.",
        ),
    ] = 1.0,
    form: Annotated[
        str | None,
        typer.Option("--format", help="Of a bank's samples: npz by default, or parquet.", show_default=False),
    ] = None,
) -> None:
    """Draw samples: spectrograms of one generator, with a picture and sound, or a training set of a whole bank.

    The array file of one generator is read with safetensors.numpy.load_file: `patches`, one of
    128 mels by 128 frames a sample, the natural log of mel power with the lowest
    band first, and `labels`. What they mean, the scaling, the seed and the
    generator's hash are JSON in its metadata, under `eyesoff`.

    A latent depends on the seed and the emotion alone: the angry samples are
    the same with and without the others.

    A whole bank gives a training set: --number samples of each emotion in all,
    spread evenly over its generators, as one npz or Parquet file. The npz holds
    `values`, `labels` and `sources`, a row a sample; `label_names` and
    `source_names`, which those count; and `about`, JSON that says the rest.
    `values` are spectrograms where the bank holds patches, and vectors of the
    set of features that `about` names where it holds vectors. With --audio
    spectrograms are also written as wavs, with recordings.csv, which
    `--corpus table` reads; vectors have no sound.

    Pre-trained networks know no emotion yet: they are sampled without
    one, and their labels are -1.

    Example: eyesoff sample runs/simulation/bank/Session1-0123456789ab.safetensors --emotion angry --audio --out samples

    Example: eyesoff sample generators.zip --number 200 --audio --out training
    """
    from server.generators import open_generator
    from server.opening import is_bank
    from simulations import sampling
    from simulations.progress import bars

    if generator.is_file() and out.resolve() == generator.resolve().parent:
        raise UserError(
            "--out is the bank itself", where=out, remedy="choose another folder: a bank holds releases only"
        )
    if is_bank(generator):
        narrowed = bool(emotion or paired)
        _sample_bank(generator, out, number, seed, latent_scale, form or "npz", audio=audio, narrowed=narrowed)
        return
    if form:
        raise UserError("--format is of a bank's samples", where=generator, remedy="leave it out, or name the bank")
    opened = open_generator(generator)
    samples = sampling.draw(opened, sampling.Order(number, seed, emotion, paired, latent_scale))
    if not opened.tuned:
        typer.echo("pre-trained and not tuned: emotions mean nothing to it yet, so its condition is zero")
    typer.echo(f"{many(len(samples.labels), 'spectrogram')}: {sampling.save_arrays(samples, out)}")
    typer.echo(f"picture of the first: {sampling.save_sheet(samples, out)}")
    if audio:
        with bars() as open_bar:
            sounds = sampling.save_sounds(samples, out, open_bar("sound"))
        first = "" if len(sounds) == len(samples.labels) else "the first "
        typer.echo(f"{first}{len(sounds)} as sound: {sounds[0]} to {sounds[-1].name}")


def _sample_bank(
    place: Path, out: Path, number: int, seed: int, latent_scale: float, form: str, *, audio: bool, narrowed: bool
) -> None:
    """A training set of all generators."""
    from server.opening import opened_bank
    from simulations.progress import bars
    from simulations.training_set import FORMS, draw_set, refuse_soundless, save_set, save_wavs

    if narrowed:
        remedy = "leave out --emotion and --paired, or name one release"
        raise UserError("a training set has every emotion", where=place, remedy=remedy)
    if form not in FORMS:
        raise UserError("no such form", where=f"--format {form}", remedy=f"choose one of {', '.join(FORMS)}")
    if out.resolve() == place.resolve():
        raise UserError("--out is the bank itself", where=out, remedy="choose another folder")
    with opened_bank(place) as bank:
        if audio:
            for one in bank.banked():
                refuse_soundless(one.card.tuning.space)
        drawn = draw_set(bank, number, seed, latent_scale)
    typer.echo(
        f"{many(len(drawn), 'sample')} of {many(len(drawn.generators), 'generator')}: {save_set(drawn, out, form)}"
    )
    if audio:
        with bars() as open_bar:
            table = save_wavs(drawn, out, open_bar("sound"))
        typer.echo(f"as sound, with a table: {table}")
