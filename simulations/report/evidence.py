"""The evidence of a stored run, as far as it is there.

Owns reading it. Must not know how it is shown. What is missing or broken is told by name and never stops a report.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from client.history import Entry
from client.ledger import entries, verify
from common.errors import UserError
from common.features.scaling import Scaling
from common.settings import FeatureConfig
from simulations.comparison.codes import CODES, LABELS, SIDES
from simulations.comparison.evidence import EVIDENCE, INDEX, SCHEMA

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Curve:
    """What one fit or training wrote down at its steps."""

    stage: str
    subject: str
    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class ClientLedger:
    """What left one client, and where its chain of hashes breaks."""

    session: str
    rows: str
    """Of the table, which its release serves."""
    entries: tuple[Entry, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """Of one fold and seed; by mode, and by emotion within it."""

    fold: str = ""
    seed: int = 0
    labels: tuple[str, ...] = ()
    scaling: Scaling = field(default_factory=lambda: Scaling(-1.0, 1.0))
    features: FeatureConfig = field(default_factory=FeatureConfig)
    patches: Mapping[str, Mapping[str, Floats]] = field(default_factory=dict)
    paired: Mapping[str, Floats] = field(default_factory=dict)
    embeddings: Mapping[str, tuple[Floats, NDArray[np.int64]]] = field(default_factory=dict)
    columns: Mapping[str, Floats] = field(default_factory=dict)
    """Of vectors: one number of each sample, by mode."""
    feature: tuple[int, str] | None = None
    """Which number that is, and its name."""
    codes: Mapping[str, Mapping[str, tuple[Floats, NDArray[np.int64]]]] = field(default_factory=dict)
    """By row and side: codes, and their emotions."""
    curves: Sequence[Curve] = ()
    ledgers: Sequence[ClientLedger] = ()
    missing: tuple[str, ...] = ()

    @classmethod
    def read(cls, run: Path, modes: Sequence[str]) -> "Evidence":
        """Everything that can be read, modes in their order."""
        folder, missing = run / EVIDENCE, list[str]()
        try:
            index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
            if index["schema"] != SCHEMA:
                return cls(missing=(f"evidence of schema {index['schema']}, not {SCHEMA}",))
            ground = {"fold": index["fold"], "seed": index["seed"], "labels": tuple(index["labels"])}
            ground |= {
                "scaling": Scaling(**(index["scaling"] or {"low": -1.0, "high": 1.0})),
                "features": FeatureConfig(**index["features"]),
                "feature": (index["feature"]["number"], index["feature"]["name"]) if "feature" in index else None,
            }
        except OSError:
            return cls(missing=(f"{EVIDENCE}/{INDEX} is not there",))
        except (ValueError, KeyError, TypeError, UserError):
            return cls(missing=(f"{EVIDENCE}/{INDEX} cannot be read",))
        patches: dict[str, dict[str, Floats]] = {}
        for name, array in _arrays(folder, "patches", missing).items():
            mode, emotion = name.rsplit("/", 1)
            patches.setdefault(mode, {})[emotion] = array
        vectors = _arrays(folder, "embeddings", missing)
        return cls(
            **ground,
            patches={name: patches[name] for name in modes if name in patches},
            paired=_arrays(folder, "paired", missing),
            embeddings={name: (vectors[name], vectors[f"{name}/labels"]) for name in modes if name in vectors},
            columns={one: vectors[f"{one}/feature"] for one in modes if f"{one}/feature" in vectors},
            codes=_codes(folder, missing) if index.get(CODES) else {},
            curves=tuple(_curves(folder, index.get("curves", []), missing)),
            ledgers=tuple(_ledgers(folder, index.get("ledgers", []), missing)),
            missing=tuple(missing),
        )


def _arrays(folder: Path, name: str, missing: list[str]) -> dict[str, NDArray[Any]]:
    file = folder / f"{name}.safetensors"
    try:
        return load_file(file)
    except (OSError, SafetensorError):
        missing.append(f"{EVIDENCE}/{file.name} is not there or cannot be read")
        return {}


def _codes(folder: Path, missing: list[str]) -> dict[str, dict[str, tuple[Floats, NDArray[np.int64]]]]:
    found: dict[str, dict[str, tuple[Floats, NDArray[np.int64]]]] = {}
    arrays = _arrays(folder, CODES, missing)
    for name in arrays:
        subject, _, side = name.rpartition("/")  # a row's own name may hold a slash
        if side in SIDES:
            found.setdefault(subject, {})[side] = (arrays[name], arrays[f"{name}/{LABELS}"])
    return {subject: {side: found[subject][side] for side in SIDES} for subject in sorted(found)}


def _curves(folder: Path, listed: Sequence[Mapping[str, Any]], missing: list[str]) -> Iterator[Curve]:
    for one in listed:
        try:
            lines = (folder / one["file"]).read_text(encoding="utf-8").splitlines()
            yield Curve(one["stage"], one["subject"], tuple(json.loads(line) for line in lines))
        except (OSError, ValueError):
            missing.append(f"{EVIDENCE}/{one['file']} is not there or cannot be read")


def _ledgers(folder: Path, listed: Sequence[Mapping[str, Any]], missing: list[str]) -> Iterator[ClientLedger]:
    for one in listed:
        try:
            file = folder / one["file"]
            yield ClientLedger(one["session"], one.get("subject", ""), tuple(entries(file)), verify(file).problems)
        except (OSError, UserError, ValueError):
            missing.append(f"{EVIDENCE}/{one['file']} is not there or cannot be read")
