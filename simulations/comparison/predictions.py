"""What every recognizer of a comparison said of every utterance, for statistics of one's own.

Owns the file of a unit and the table of a run. Must not know how a recognizer came about.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from common.corpora.manifest import Manifest
from common.files import atomic_json, write_through
from common.recognizers.recognizer import Probabilities
from simulations.comparison.store import Store
from simulations.comparison.units import Unit

TOLD, PREDICTIONS = "predictions.json", "predictions.parquet"


def save_told(folder: Path, test: Manifest, told: Probabilities) -> None:
    """A unit's own: who spoke, what was meant, and how probable each emotion is, rounded to six digits."""
    rows = [
        {"path": one.path, "speaker": one.speaker, "emotion": one.emotion, "told": [round(float(p), 6) for p in row]}
        for one, row in zip(test.utterances, told, strict=True)
    ]
    atomic_json(folder / TOLD, {"utterances": rows})


def write_predictions(run: Path, labels: Sequence[str], units: Sequence[Unit], store: Store) -> None:
    """A row an utterance, mode, fold and seed; units of a version that kept none are left out."""
    import pyarrow as pa
    from pyarrow import parquet

    rows = [row for unit in units if unit.kind == "score" for row in _rows(unit, labels, store)]
    if not rows:
        return
    table = pa.Table.from_pylist(rows)

    def write(stream: BinaryIO) -> None:
        parquet.write_table(table, stream)

    write_through(run / PREDICTIONS, write)


def _rows(unit: Unit, labels: Sequence[str], store: Store) -> Iterator[dict[str, Any]]:
    if store.card(unit) is None:
        return
    try:
        kept: list[Mapping[str, Any]] = json.loads((store.where(unit) / TOLD).read_bytes())["utterances"]
    except FileNotFoundError:
        return
    for one in kept:
        predicted = labels[max(range(len(labels)), key=one["told"].__getitem__)]
        about = {"mode": unit.row, "fold": unit.place, "seed": unit.seed}
        heard = {"path": one["path"], "speaker": one["speaker"], "emotion": one["emotion"], "predicted": predicted}
        yield {**about, **heard, **{f"p_{label}": p for label, p in zip(labels, one["told"], strict=True)}}
