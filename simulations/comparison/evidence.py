"""The evidence beside the results: what can be looked at and listened to, of the first fold and the first seed.

Owns the layout. Must not know how anything is drawn. Arrays are safetensors, patches are fp16 in [-1, 1]:

    index.json               {schema, fold, seed, labels, scaling: {low, high}, features: {..}, curves: [{file, stage,
                             subject, fold, seed}], ledgers: [{file, stage, subject, session, seed}],
                             feature?: {number, name}, codes?: true}; `scaling` inverts to log-mels
    patches.safetensors      `real/<emotion>` and `<mode>/<emotion>`: [n, 128, 128]
    paired.safetensors       `<mode>`: [latents, emotions, 128, 128], one latent under every emotion
    embeddings.safetensors   `real`, `<mode>`: [n, d] fp32; `real/labels`, `<mode>/labels`: [n] int64;
                             of vectors also `<mode>/feature`: [n], the number of each that the index names
    codes.safetensors        of rows whose synthesizer has an encoder: `<row>/training`, `/held out`, `/samples`:
                             [n, d] fp32, and `<row>/<side>/labels`: [n] int64
    curves/*.jsonl           rows {stage, step, <metric>: ..} of the trainings of that fold and seed, and of each row's
                             distillation at its first site; a fit's subject names the rows of the table that it serves
    ledgers/*.jsonl          the ledger of each federated client and tuning at that seed: what left it
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import save as to_bytes
from torch import Tensor

from common.features.sets import feature_set
from common.files import atomic_json, atomic_write
from common.settings import FeatureConfig
from common.spaces import Vectors
from common.training.checkpoint import read_tensors
from simulations.comparison.codes import CODES
from simulations.comparison.measures import drawn_feature
from simulations.comparison.modes import REAL
from simulations.comparison.setting import Setting
from simulations.comparison.store import LEDGER, METRICS, SHOWN, Store
from simulations.comparison.units import COPYING, NOISE, Unit

EVIDENCE, INDEX = "evidence", "index.json"
SCHEMA = 1


@dataclass(frozen=True)
class Written:
    """A file that somebody wrote line by line, and what it tells of."""

    path: Path
    name: str
    about: Mapping[str, Any]

    @classmethod
    def of(cls, unit: Unit, path: Path, subject: str) -> "Written":
        """A unit's own; rows of one synthesizer differ in their settings, so a name has the unit's key."""
        held = f"{unit.place}, {unit.trial}" if unit.trial else unit.place
        place = {"session" if unit.kind == "tune" else "fold": held, "seed": unit.seed}
        about = {"stage": unit.kind, "subject": subject, **place}
        return cls(path, f"{unit.kind}-{unit.subject}-{unit.fold}-{unit.seed}-{unit.key}.jsonl", about)


@dataclass(frozen=True)
class Gathered:
    """What there is to be shown; `looks` is by mode what `simulations.comparison.sample_quality.look` kept."""

    fold: str
    seed: int
    labels: Sequence[str]
    scaling: Mapping[str, float]
    """Of patches: what inverts them to log-mels."""
    features: FeatureConfig
    looks: Mapping[str, Mapping[str, Tensor]]
    curves: Iterable[Written] = ()
    ledgers: Iterable[Written] = ()
    codes: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)
    """By row of the table what `simulations.comparison.codes` kept."""
    feature: Mapping[str, Any] | None = None
    """The number of a vector that is kept of every sample, and its name; none of patches."""


def gather(run: Path, setting: Setting, units: Sequence[Unit], store: Store) -> None:
    """What units kept; the copying control is the real speech itself."""
    done = [unit for unit in units if store.card(unit) is not None and not unit.ablation]
    first = next(unit for unit in units if unit.kind == "score")
    shown = [unit for unit in done if (unit.kind, unit.place, unit.seed) == ("quality", first.place, first.seed)]
    looks = {
        REAL if unit.subject == COPYING else unit.subject: read_tensors(store.where(unit) / SHOWN)[0]
        for unit in shown
        if unit.subject != NOISE
    }
    needed = {need.key for unit in shown for need in unit.needs}
    watched = [unit for unit in done if (unit.place, unit.seed) == (first.place, first.seed) or unit.key in needed]
    rows = _rows(done)
    curves = _curves(watched, rows, store)
    of_seed = (unit for unit in done if unit.seed == first.seed)
    ledgers = (Written.of(unit, store.where(unit) / LEDGER, rows.get(unit.key, unit.subject)) for unit in of_seed)
    labels = setting.manifest.labels
    ground = first.place, first.seed, labels, setting.scaled, setting.config.features
    coded = [unit for unit in watched if _has_codes(unit, store)]
    codes = {rows.get(unit.key, unit.subject): read_tensors(store.where(unit) / CODES)[0] for unit in coded}
    put(run, Gathered(*ground, looks, curves, ledgers, codes, _feature(setting, first.seed)))


def _rows(units: Sequence[Unit]) -> dict[str, str]:
    """The rows of the table that a fit serves, by its key; a whole release serves those that are cut of it too."""
    served: dict[str, dict[str, None]] = {}
    for unit in units:
        for source in unit.needs if unit.kind == "train" else ():
            for one in (source, *source.needs):
                served.setdefault(one.key, {})[unit.subject] = None
    return {key: "; ".join(names) for key, names in served.items()}


def _curves(units: Sequence[Unit], rows: Mapping[str, str], store: Store) -> Iterator[Written]:
    """A tuning writes none, but distilling its release does: of the first site alone, so that a row has one line."""
    shown = set[str]()
    for unit in units:
        path, subject = store.where(unit) / METRICS, rows.get(unit.key, unit.subject)
        if unit.kind != "tune":
            yield Written.of(unit, path, subject)
        elif subject not in shown and path.exists():
            shown.add(subject)
            yield Written.of(unit, path, f"{subject} at {unit.place}")


def _has_codes(unit: Unit, store: Store) -> bool:
    return unit.kind == "fit" and (store.where(unit) / CODES).is_dir()


def _feature(setting: Setting, seed: int) -> dict[str, Any] | None:
    """That a quality unit of this seed kept."""
    if not isinstance(setting.space, Vectors):
        return None
    vectors = setting.config.vectors
    number = drawn_feature(setting.space.size, seed)
    return {"number": number, "name": feature_set(vectors.set, vectors.options).names[number]}


def put(run: Path, found: Gathered) -> None:
    """Write it anew; the index comes last."""
    folder = run / EVIDENCE
    shutil.rmtree(folder, ignore_errors=True)
    for name, tensors in _arrays(found.looks, found.labels).items():
        atomic_write(folder / f"{name}.safetensors", to_bytes(dict(tensors)))
    index = {
        "schema": SCHEMA,
        "fold": found.fold,
        "seed": found.seed,
        "labels": list(found.labels),
        "scaling": dict(found.scaling),
        "features": found.features.model_dump(mode="json"),
        "curves": list(_copied(found.curves, folder / "curves")),
        "ledgers": list(_copied(found.ledgers, folder / "ledgers")),
    }
    told: dict[str, Any] = {} if found.feature is None else {"feature": dict(found.feature)}
    if found.codes:
        codes = {f"{one}/{name}": tensor for one, kept in found.codes.items() for name, tensor in kept.items()}
        atomic_write(folder / f"{CODES}.safetensors", to_bytes(codes))
        told[CODES] = True
    atomic_json(folder / INDEX, index | told)


def _arrays(looks: Mapping[str, Mapping[str, Tensor]], labels: Sequence[str]) -> dict[str, Mapping[str, Tensor]]:
    """Sorted by what it is."""
    patches: dict[str, Tensor] = {}
    embeddings: dict[str, Tensor] = {}
    for name, kept in looks.items():
        for number, label in enumerate(labels) if "patches" in kept else ():
            patches[f"{name}/{label}"] = kept["patches"][kept["patch_labels"] == number]
        if "embeddings" in kept:
            embeddings |= {name: kept["embeddings"], f"{name}/labels": kept["labels"]}
        if "feature" in kept:
            embeddings[f"{name}/feature"] = kept["feature"]
    paired = {name: kept["paired"] for name, kept in looks.items() if "paired" in kept}
    return {"patches": patches, "paired": paired, "embeddings": embeddings}


def _copied(files: Iterable[Written], target: Path) -> Iterator[dict[str, Any]]:
    """Those that are there, each told of."""
    for one in files:
        if one.path.exists():
            atomic_write(target / one.name, one.path.read_bytes())
            yield {"file": f"{target.name}/{one.name}", **one.about}
