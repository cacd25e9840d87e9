"""A stored run made by hand: two emotions, two folds, two seeds, one mode that failed; no training."""

import copy
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from client.history import Record
from client.ledger import Ledger
from common.config import FeatureConfig, load_config
from simulations.comparison.schema import SCHEMA
from simulations.report import writing

LABELS = ("angry", "sad")
MATRICES = {"real": [[9, 1], [2, 8]], "federated": [[8, 2], [3, 7]], "floor": [[6, 4], [5, 5]]}
FOLDS = {"a": ("ann", "abe"), "b": ("bea", "bob")}
SHOWN = ("federated", "floor", "real")


def summary(mean, std_over_seeds=0.0123):
    interval = {"mean": mean, "low": mean - 0.0456, "high": mean + 0.0321}
    return interval | {"std_over_folds": 0.0234, "std_over_seeds": std_over_seeds, "folds": 2, "seeds": 2, "n": 80}


def mode(about, macro_f1, uar, accuracy, confusion):
    whole = {"about": about, "synthesizer": None, "complete": True, "whole_seeds": [0, 1], "confusion": confusion}
    scores = {"macro_f1": summary(macro_f1), "uar": summary(uar), "accuracy": summary(accuracy)}
    return whole | scores | {"by_fold": {"a": [macro_f1, macro_f1 + 0.02], "b": [macro_f1, macro_f1 - 0.02]}}


def made_results():
    less = {"difference": -0.0206, "low": -0.0517, "high": 0.0111, "p_value": 0.2, "pairs": 4, "different": False}
    failed = dict.fromkeys(("macro_f1", "uar", "accuracy", "confusion", "by_fold"))
    quality = {one: {"mean": 41.7, "std_over_folds": 3.18} for one in ("frechet", "kernel", "density", "coverage")}
    counts = {
        name: {str(seed): {fold: dict.fromkeys(who, matrix) for fold, who in FOLDS.items()} for seed in (0, 1)}
        for name, matrix in MATRICES.items()
    }
    return {
        "schema": SCHEMA,
        "corpus": "emodb",
        "preset": "demo",
        "identity": "0123456789ab",
        "command": "eyesoff compare --seeds 2 --run <b>run</b>",
        "labels": list(LABELS),
        "folds": [{"name": fold, "speakers": list(who), "utterances": [20, 20]} for fold, who in FOLDS.items()],
        "seeds": [0, 1],
        "modes": {
            "real": mode("the real speech", 0.8476, 0.8612, 0.8533, [[72, 8], [16, 64]]),
            "federated": mode("one GAN a session", 0.7519, 0.7644, 0.7581, [[64, 16], [24, 56]]),
            "baseline": {"about": "the earlier GAN", "complete": False, "whole_seeds": [], "synthesizer": "x"} | failed,
            "floor": mode("untouched", 0.5487, 0.5512, 0.5541, [[48, 32], [40, 40]]),
        },
        "counts": counts | {"baseline": {}},
        "paired": [
            {"first": "real", "second": "federated", "metric": metric}
            | {"difference": 0.0957, "low": 0.0411, "high": 0.1502, "p_value": 0.0312, "pairs": 4, "different": True}
            for metric in ("macro_f1", "uar", "accuracy")
        ],
        "ablations": [
            {"setting": "sampling.latent_scale", "usual": 1.3, "other": 1.0, "complete": True}
            | {"macro_f1": summary(0.7313), "difference": less},
            {"setting": "finetuning.even_start", "usual": False, "other": True, "complete": False}
            | {"macro_f1": None, "difference": None},
        ],
        "gap_closed": {"federated": {"value": 0.6798, "low": 0.4441, "high": 0.8877, "n": 80}},
        "quality": {
            name: {**quality, "recognized": {"mean": 0.7123, "std_over_folds": None}, "generated": 128}
            for name in ("federated", "floor", "copying", "noise")
        },
        "failures": [
            {"unit": "fit chatziagapi, a, seed 0", "modes": ["baseline"], "fold": "a", "seed": 0, "reason": "no <room>"}
        ],
        "settings": load_config("emodb").model_dump(mode="json", exclude={"pretraining"}),
        "pretrained": {
            "sha256": "0f" * 32,
            "seed": 0,
            "pretraining": {"adversarial": {"generator_learning_rate": 1e-4}},
            "data": {"corpus": "librispeech", "hours": 0.87, "warnings": []},
        },
        "seconds": {"train": {"seconds": 123.4, "units": 12, "cached": 7}},
        "wall": 65.0,
        "environment": {"eyesoff": "0.1.0", "python": "3.11.7", "cores": 2},
    }


def made_evidence(folder):
    """What `simulations.comparison.evidence` leaves, of random numbers."""
    stream = np.random.default_rng(0)
    patches = {f"{name}/{one}": stream.uniform(-1, 1, (2, 128, 128)) for name in SHOWN for one in LABELS}
    save = {key: array.astype(np.float16) for key, array in patches.items()}
    save_file(save, folder / "patches.safetensors")
    paired = {"federated": stream.uniform(-1, 1, (3, 2, 128, 128)).astype(np.float16)}
    save_file(paired, folder / "paired.safetensors")
    vectors = {name: stream.normal(size=(12, 5)).astype(np.float32) for name in SHOWN}
    labels = {f"{name}/labels": np.arange(12) % 2 for name in SHOWN}
    save_file(vectors | labels, folder / "embeddings.safetensors")
    (folder / "curves").mkdir()
    rows = [{"stage": "recognizer", "step": step, "recognizer/loss": 1 / step} for step in (1, 2, 4)]
    (folder / "curves" / "train-real.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "ledgers").mkdir()
    ledger = Ledger(folder / "ledgers" / "tune-b.jsonl")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    ledger.append(Record(time=now, outcome="admitted", kind="tune"))
    card = json.dumps({"card": {"utterances": [17, 23], "seconds": 3}})
    tensors = {"generator.weight": "F16[8, 16, 3, 3]", "generator.bias": "F16[8]"}
    release = Record(
        time=now, outcome="sent", kind="release", words=card, tensors=tensors, bytes=2320, sha256="ab" * 32
    )
    ledger.append(release)
    index = {
        "schema": 1,
        "fold": "a",
        "seed": 0,
        "labels": list(LABELS),
        "scaling": {"low": -16.0, "high": 4.0},
        "features": FeatureConfig().model_dump(mode="json"),
        "curves": [{"file": "curves/train-real.jsonl", "stage": "train", "subject": "real", "fold": "a", "seed": 0}],
        "ledgers": [{"file": "ledgers/tune-b.jsonl", "stage": "tune", "subject": "x", "session": "b", "seed": 0}],
    }
    (folder / "index.json").write_text(json.dumps(index))


@dataclass(frozen=True)
class Built:
    """A run and the text of its report."""

    folder: Path
    page: str


@pytest.fixture
def results():
    return copy.deepcopy(made_results())


@pytest.fixture
def run_of(tmp_path):
    """A function that stores results as a run without evidence."""

    def store(results, name="run"):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "results.json").write_text(json.dumps(results))
        return folder

    return store


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reported") / "run"
    (folder / "evidence").mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(made_results()))
    made_evidence(folder / "evidence")
    return Built(folder, writing.write_report(folder).read_text())
