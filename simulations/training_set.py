"""A whole bank drawn into a training set that any tool reads: numbers with labels, and sound with a table.

Owns how many samples each generator gives and the files' forms. Must not know a command line, nor what is trained.

    training-seed0.npz or .parquet   values, labels, which generator each is of, and what they mean
    recordings.csv, wav/             sound, and a table that `--corpus table` and others read
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

from common.errors import UserError, UserErrors
from common.features.inversion import Inversion
from common.features.scaling import Scaling
from common.files import atomic_write, write_through
from common.seeds import torch_stream
from common.settings import FeatureConfig
from common.space import SAMPLE_RATE
from common.spaces import Patches, Space
from common.synthesizers.pool import given_numbers
from common.version import VERSION
from server.bank import Bank, Banked
from server.generators import settings_of
from server.samplers import sampler_in
from simulations.progress import Counting

FORMS = ("npz", "parquet")
TABLE, SOUNDS = "recordings.csv", "wav"
ALIKE = ("labels", "space", "features", "scaling")
"""What generators must have in common, so that their samples mean the same."""


@dataclass(frozen=True)
class TrainingSet:
    """Samples of a bank's generators, generator after generator.

    Args:
        values: log-mels [n, mels, frames], the natural log of mel power; or vectors [n, size], as their space has them.
        labels: class numbers [n].
        sources: which of the generators [n].
    """

    values: NDArray[np.float32]
    labels: NDArray[np.int64]
    sources: NDArray[np.int64]
    names: tuple[str, ...]
    generators: tuple[Banked, ...]
    space: Space
    features: FeatureConfig
    seed: int

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def about(self) -> dict[str, Any]:
        """All that gives the numbers a meaning, as plain data."""
        return {
            "eyesoff": VERSION,
            "labels": list(self.names),
            "space": self.space.model_dump(mode="json"),
            "features": self.features.model_dump(mode="json"),
            "values": "natural log of mel power" if isinstance(self.space, Patches) else "vectors",
            "seed": self.seed,
            "generators": [{"name": one.name, "sha256": one.sha256, "run": one.run} for one in self.generators],
        }


def draw_set(bank: Bank, number: int, seed: int = 0, latent_scale: float = 1.0) -> TrainingSet:
    """So many samples of each emotion, spread evenly over the generators that know it; one that none knows has none.

    The same bits for the same order.
    """
    generators = bank.banked()
    if not generators:
        raise UserError("the bank is empty", where=bank.folder)
    _require_alike(bank, generators)
    tuning = generators[0].card.tuning
    values, labels, sources = [], [], []
    given = given_numbers([one.card.known for one in generators], number, len(tuning.labels))
    for index, (one, shares) in enumerate(zip(generators, given, strict=True)):
        if not any(shares):
            continue
        sampler = sampler_in(bank, one)
        for label, (name, share) in enumerate(zip(tuning.labels, shares, strict=True)):
            if not share:
                continue
            stream = torch_stream(seed, "training set", one.name, name)
            drawn = sampler.sample(torch.full((share,), label), stream, latent_scale).float()
            if not bool(drawn.isfinite().all()):
                raise UserError("samples that are not finite", where=one.name, remedy="export the bank without it")
            values.append(drawn)
            labels += [label] * share
            sources += [index] * share
    made = torch.cat(values)
    if isinstance(tuning.space, Patches) and tuning.scaling is not None:
        made = Scaling(tuning.scaling.low, tuning.scaling.high).invert(made[:, 0])
    features = settings_of(tuning, bank.folder).features
    told = (np.array(labels, np.int64), np.array(sources, np.int64))
    return TrainingSet(made.numpy(), *told, tuning.labels, generators, tuning.space, features, seed)


def _require_alike(bank: Bank, generators: Sequence[Banked]) -> None:
    first = generators[0].card.tuning
    problems = [
        f"{one.name}: {what} differs from that of {generators[0].name}"
        for one in generators
        for what in ALIKE
        if getattr(one.card.tuning, what) != getattr(first, what)
    ]
    if problems:
        raise UserErrors(
            f"{bank.folder}: samples that do not mean the same; `eyesoff bank export` takes some", problems
        )


def save_set(drawn: TrainingSet, folder: Path, form: str = "npz") -> Path:
    """One file that numpy, or pandas and others, read; what is there already is not written over."""
    path = folder / f"training-seed{drawn.seed}.{form}"
    _refuse_present(path)
    write_through(path, lambda stream: (_write_npz if form == "npz" else _write_parquet)(drawn, stream))
    return path


def _write_npz(drawn: TrainingSet, stream: BinaryIO) -> None:
    """No array of objects, so that it is read without a pickle."""
    np.savez(
        stream,
        values=drawn.values,
        labels=drawn.labels,
        sources=drawn.sources,
        label_names=np.array(drawn.names),
        source_names=np.array([one.name for one in drawn.generators]),
        about=np.array(json.dumps(drawn.about)),
    )


def _write_parquet(drawn: TrainingSet, stream: BinaryIO) -> None:
    """A row a sample; its numbers are one flat list, whose shape stands in the table's metadata."""
    import pyarrow as pa
    from pyarrow import parquet

    flat = drawn.values.reshape(len(drawn), -1)
    values = pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1])
    columns = {
        "emotion": [drawn.names[label] for label in drawn.labels],
        "label": drawn.labels,
        "session": [drawn.generators[index].session for index in drawn.sources],
        "generator": [drawn.generators[index].name for index in drawn.sources],
        "values": values,
    }
    about = {**drawn.about, "shape": list(drawn.values.shape[1:])}
    table = pa.table(columns).replace_schema_metadata({"eyesoff": json.dumps(about)})
    parquet.write_table(table, stream)


def refuse_soundless(space: Space) -> None:
    """Samples that are no spectrograms cannot be heard."""
    if not isinstance(space, Patches):
        raise UserError("vectors have no sound", remedy="leave out --audio, or name a bank of patches")


def save_wavs(drawn: TrainingSet, folder: Path, progress: Counting) -> Path:
    """Every sample as a 16-bit wav, and the table that tells emotion and session of each: a corpus of its own."""
    refuse_soundless(drawn.space)
    _refuse_present(folder / TABLE)
    invert = Inversion(drawn.features)
    rows = [("path", "emotion", "session", "speaker")]
    for number, (log_mel, label, index) in enumerate(zip(drawn.values, drawn.labels, drawn.sources, strict=True)):
        one, emotion = drawn.generators[index], drawn.names[label]
        path = f"{SOUNDS}/{one.name}-{emotion}-{number:05d}.wav"
        content = io.BytesIO()
        waveform = invert(torch.from_numpy(log_mel)).numpy()
        soundfile.write(content, waveform, SAMPLE_RATE, format="WAV", subtype="PCM_16")
        atomic_write(folder / path, content.getvalue())
        rows.append((path, emotion, one.session, one.name))
        progress(number + 1, len(drawn))
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows(rows)
    atomic_write(folder / TABLE, table.getvalue().encode())  # last: a table names only what is there
    return folder / TABLE


def _refuse_present(path: Path) -> None:
    if path.exists():
        raise UserError("it is there already", where=path, remedy="choose another --out, or delete it")
