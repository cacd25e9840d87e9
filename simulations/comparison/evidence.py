"""The evidence beside the results: what can be looked at and listened to, gathered from the units' folders.

Owns which units are shown: those of the first fold and seed. Must not know how anything is drawn; the layout is told in
`simulations.comparison.results`.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import save as to_bytes
from torch import Tensor

from common.files import atomic_json, atomic_write
from common.training.checkpoint import read_tensors
from simulations.comparison.modes import REAL
from simulations.comparison.setting import Setting
from simulations.comparison.store import LEDGER, METRICS, SHOWN, Store
from simulations.comparison.units import COPYING, NOISE, Unit

EVIDENCE, INDEX = "evidence", "index.json"
SCHEMA = 1


def gather(run: Path, setting: Setting, units: Sequence[Unit], store: Store) -> None:
    """Put it anew; the index comes last."""
    folder = run / EVIDENCE
    shutil.rmtree(folder, ignore_errors=True)
    done = [unit for unit in units if store.card(unit) is not None and not unit.ablation]
    first = next(unit for unit in units if unit.kind == "score")
    shown = [unit for unit in done if (unit.kind, unit.place, unit.seed) == ("quality", first.place, first.seed)]
    for name, tensors in _arrays(shown, setting.manifest.labels, store).items():
        atomic_write(folder / f"{name}.safetensors", to_bytes(dict(tensors)))
    needed = {need.key for unit in shown for need in unit.needs}
    watched = [unit for unit in done if (unit.place, unit.seed) == (first.place, first.seed) or unit.key in needed]
    index = {
        "schema": SCHEMA,
        "fold": first.place,
        "seed": first.seed,
        "labels": list(setting.manifest.labels),
        "scaling": setting.scaled,
        "features": setting.config.features.model_dump(mode="json"),
        "curves": list(_copied(watched, store, METRICS, folder / "curves")),
        "ledgers": list(_copied([unit for unit in done if unit.seed == first.seed], store, LEDGER, folder / "ledgers")),
    }
    atomic_json(folder / INDEX, index)


def _arrays(shown: Sequence[Unit], labels: Sequence[str], store: Store) -> dict[str, Mapping[str, Tensor]]:
    """What the units of quality kept, sorted by what it is; the copying control is the real speech itself."""
    patches: dict[str, Tensor] = {}
    paired: dict[str, Tensor] = {}
    embeddings: dict[str, Tensor] = {}
    for unit in shown:
        if unit.subject == NOISE:
            continue
        name = REAL if unit.subject == COPYING else unit.subject
        kept, _ = read_tensors(store.where(unit) / SHOWN)
        for number, label in enumerate(labels) if "patches" in kept else ():
            patches[f"{name}/{label}"] = kept["patches"][kept["patch_labels"] == number]
        embeddings[name], embeddings[f"{name}/labels"] = kept["embeddings"], kept["labels"]
        if "paired" in kept:
            paired[name] = kept["paired"]
    return {"patches": patches, "paired": paired, "embeddings": embeddings}


def _copied(units: Sequence[Unit], store: Store, name: str, target: Path) -> Iterator[dict[str, Any]]:
    """Those of the units that have such a file, each told of."""
    for unit in units:
        source = store.where(unit) / name
        if source.exists():
            file = f"{unit.kind}-{unit.subject}-{unit.fold}-{unit.seed}.jsonl"
            atomic_write(target / file, source.read_bytes())
            place = {"session" if unit.kind == "tune" else "fold": unit.place, "seed": unit.seed}
            yield {"file": f"{target.name}/{file}", "stage": unit.kind, "subject": unit.subject, **place}
