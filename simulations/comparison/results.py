"""What a comparison found: `results.json` in the run's folder, and the evidence beside it.

Owns the layout of both. Must not know how a unit is computed, nor how any of this is shown.

`results.json`:

    schema        SCHEMA; a file of another one is refused
    corpus, preset, identity (hash of the configuration), command, labels (emotions in their order)
    folds         [{name, speakers: [..], utterances: [test utterances an emotion]}], in order
    seeds         [0, 1, 2]
    averaged_over what macro F1 and UAR are means over, in words: a fold is scored on the emotions that it holds
    modes         name -> {about, synthesizer (or null), complete (no cell is missing), metrics, ..}; in the order of
                  the table. `macro_f1`, `uar`, `accuracy` are each {mean, std_over_folds, std_over_seeds (null where
                  there is one), low, high (95 %, over speakers and seeds), n (utterances), folds, seeds (how many)},
                  or null where failures left no seed whole; `pooled` is metric -> its value on the counts of all folds
                  added up, mean over seeds, which lacks an emotion only where every fold does; `confusion` is counts
                  [true][predicted] over folds and whole seeds; `by_fold` is fold -> [macro F1 of each whole seed];
                  `whole_seeds` says which those are
    counts        mode -> seed (as text) -> fold -> speaker -> counts [true][predicted]
    paired        [{first, second, metric, difference, low, high, p_value, pairs, different}]: first minus second, on
                  the same folds and seeds
    ablations     [{setting, usual, other, complete, macro_f1 (as of a mode, or null), and beside it the federated
                  mode's difference on the same folds and seeds: {difference, low, high, p_value, pairs, different} or
                  null}]: the federated mode with one setting at another value, other minus usual
    gap_closed    mode -> {value, low, high, n}, in macro F1; null where the gap itself is not sure
    quality       mode, and the controls `copying` and `noise` -> {frechet, kernel, density, coverage, recognized:
                  each {mean, std_over_folds}, generated: samples a fold}. `recognized` is the macro F1 of the real
                  mode's recognizer on samples and the emotions they were asked for; null without the mode `real`.
                  Real patches are those that the synthesizer was fitted to, in the pre-trained encoder's space
    quarantined   [{session, seed, reason}]: generators of clients that nothing can be learnt from, and why; federated
                  training went on without them. Not there in files of versions that looked at no generator
    failures      [{unit, modes: [..], fold, seed, reason}]: `unit` names what failed, `modes` what it was needed for
    seconds       stage (tune, fit, train, score, quality) -> {seconds, units, cached}: of processor, as measured when
                  the unit was computed; and `wall`: of this command alone
    environment   {eyesoff, python, torch, system, processor, cores, workers, device, precision: of all units}
    settings      the whole configuration but `runtime`, `campaign` and `pretraining`, as plain data
    pretrained    the networks that every tuning starts from, as their card tells: {sha256, seed, pretraining: {its
                  settings}, data: {corpus, licence, hours, ..} or {}}

`evidence/`, of the first fold and the first seed; arrays are safetensors, patches are fp16 in [-1, 1]:

    index.json               {schema, fold, seed, labels, scaling: {low, high}, features: {..}, curves: [{file, stage,
                             subject, fold, seed}], ledgers: [{file, session, seed}]}; `scaling` inverts to log-mels
    patches.safetensors      `real/<emotion>` and `<mode>/<emotion>`: [n, 128, 128]
    paired.safetensors       `<mode>`: [latents, emotions, 128, 128], one latent under every emotion
    embeddings.safetensors   `real`, `<mode>`: [n, d] fp32; `real/labels`, `<mode>/labels`: [n] int64
    curves/*.jsonl           rows {stage, step, <metric>: ..} of the tunings and trainings of that fold and seed
    ledgers/*.jsonl          the ledger of each federated client at that seed: what left it
"""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch

from common.errors import UserError
from common.networks.acceleration import Acceleration
from common.scoring import AVERAGED_OVER, METRICS, Confusion, Metric, Outcome, compare, gap_closed
from common.training.checkpoint import Card
from common.version import VERSION
from simulations.comparison.ablations import Ablation
from simulations.comparison.modes import ABLATED, FLOOR, REAL, Mode
from simulations.comparison.setting import Setting
from simulations.comparison.store import COUNTS, QUALITY, Store
from simulations.comparison.units import COPYING, KINDS, NOISE, Unit, row_of
from simulations.inspection.machine import processor

SCHEMA = 4
"""1 is what `eyesoff simulate` writes; 2 knew no ablations, 3 not how the networks at the start were made."""
RESULTS = "results.json"
PRETRAINING = "pretraining"
MEASURES = ("frechet", "kernel", "density", "coverage", "recognized")
Counts = dict[str, dict[str, dict[str, list[list[int]]]]]
"""Seed (as text) to fold to speaker to a matrix."""


def read_results(path: Path) -> dict[str, Any]:
    """The results of a run, by its folder or by the file itself."""
    file = path / RESULTS if path.is_dir() else path
    try:
        results: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        schema = results.get("schema")
        if schema == SCHEMA:
            _ = results["modes"], results["environment"]
    except FileNotFoundError:
        raise UserError("no results of a comparison", where=file, remedy="run `eyesoff compare` first") from None
    except (OSError, ValueError, AttributeError, KeyError):
        raise UserError("results that cannot be read", where=file, remedy="run `eyesoff compare` again") from None
    if schema != SCHEMA:
        remedy = "run `eyesoff compare` again with this version; what is computed already stays"
        raise UserError(f"results of schema {schema}, not {SCHEMA}", where=file, remedy=remedy)
    return results


def collect(
    setting: Setting,
    modes: Sequence[Mode],
    units: Sequence[Unit],
    store: Store,
    failures: Mapping[str, str],
    ablations: Sequence[Ablation] = (),
) -> dict[str, Any]:
    """Everything that hangs on the units alone: the same units give the same answer, whoever computed them."""
    done = [unit for unit in units if store.card(unit) is not None]
    seeds = list(dict.fromkeys(unit.seed for unit in units))
    folds = list(dict.fromkeys(unit.place for unit in units if unit.kind == "score"))
    counts = {mode.name: _counts(mode.name, done, store) for mode in modes}
    outcomes = {name: _outcome(setting, table, seeds, folds) for name, table in counts.items()}
    seed = setting.config.seed
    return {
        "schema": SCHEMA,
        "corpus": setting.config.corpus.name,
        "preset": setting.config.name,
        "identity": setting.config.identity_hash(),
        "labels": list(setting.manifest.labels),
        "folds": [_fold(setting, name) for name in folds],
        "seeds": seeds,
        "averaged_over": AVERAGED_OVER,
        "modes": {mode.name: _mode(mode, outcomes[mode.name], seeds, folds, seed) for mode in modes},
        "counts": counts,
        "paired": _paired(outcomes, seed),
        "ablations": [
            _ablation(
                one,
                _outcome(setting, _counts(row_of(ABLATED, one.name), done, store), seeds, folds),
                outcomes[ABLATED],
                seeds,
            )
            for one in ablations
        ],
        "gap_closed": _gaps(outcomes, seed),
        "quality": _quality(done, store),
        "quarantined": _quarantined(units, store),
        "failures": _failures(units, failures),
        "settings": {name: value for name, value in setting.config.identity().items() if name != PRETRAINING},
        "pretrained": {} if setting.scaling is None else _whence(setting.pretrained.card),
    }


def _whence(card: Card) -> dict[str, Any]:
    """The configuration's own `pretraining` is of networks that `eyesoff pretrain` would make, not of these."""
    made = {name: card["settings"][name] for name in ("seed", PRETRAINING)}
    return {"sha256": card["sha256"], **made, "data": card.get("data", {})}


def _fold(setting: Setting, name: str) -> dict[str, Any]:
    test = setting.folds[name].test
    labels = [utterance.emotion for utterance in test.utterances]
    return {
        "name": name,
        "speakers": list(test.speakers),
        "utterances": [labels.count(label) for label in test.labels],
    }


def _counts(row: str, done: Sequence[Unit], store: Store) -> Counts:
    table: Counts = {}
    for unit in done:
        if (unit.kind, unit.row) == ("score", row):
            table.setdefault(str(unit.seed), {})[unit.place] = store.read(unit, COUNTS)
    return table


def _outcome(setting: Setting, table: Counts, seeds: Sequence[int], folds: Sequence[str]) -> Outcome | None:
    """Of the seeds that are whole: a mean over fewer folds would be of another protocol."""
    whole = [seed for seed in seeds if all(fold in table.get(str(seed), {}) for fold in folds)]
    cells = {
        (seed, fold, speaker): Confusion(setting.manifest.labels, matrix)
        for seed in whole
        for fold in folds
        for speaker, matrix in table[str(seed)][fold].items()
    }
    return Outcome.of(cells) if cells else None


def _mode(mode: Mode, outcome: Outcome | None, seeds: Sequence[int], folds: Sequence[str], seed: int) -> dict[str, Any]:
    about = {"about": mode.about, "synthesizer": mode.synthesizer}
    if outcome is None:
        nothing = dict.fromkeys((*METRICS, "pooled", "confusion", "by_fold"))
        return {**about, "complete": False, "whole_seeds": [], **nothing}
    values = outcome.values("macro_f1")
    return {
        **about,
        "complete": list(outcome.seeds) == sorted(seeds),
        "whole_seeds": list(outcome.seeds),
        **{metric: asdict(outcome.summary(metric, seed=seed)) for metric in METRICS},
        "pooled": {metric: outcome.pooled(metric) for metric in METRICS},
        "confusion": outcome.counts.sum(axis=(0, 1)).tolist(),
        # an outcome has its folds in sorted order
        "by_fold": {fold: values[:, sorted(folds).index(fold)].tolist() for fold in folds},
    }


def _ablation(
    ablation: Ablation, outcome: Outcome | None, usual: Outcome | None, seeds: Sequence[int]
) -> dict[str, Any]:
    pair = None if outcome is None or usual is None else _same_seeds([outcome, usual])
    return {
        "setting": ablation.setting,
        "usual": ablation.usual,
        "other": ablation.other,
        "complete": outcome is not None and list(outcome.seeds) == sorted(seeds),
        "macro_f1": None if outcome is None else asdict(outcome.summary("macro_f1", seed=seeds[0])),
        "difference": None if pair is None else _difference(pair[0], pair[1], "macro_f1", seeds[0]),
    }


def _difference(one: Outcome, other: Outcome, metric: Metric, seed: int) -> dict[str, Any]:
    found = compare(one, other, metric, seed=seed)
    score = found.difference
    interval = {"difference": score.value, "low": score.low, "high": score.high}
    return interval | {"p_value": found.p_value, "pairs": found.pairs, "different": found.different}


def _same_seeds(outcomes: Sequence[Outcome]) -> list[Outcome] | None:
    """Cut to the seeds that all of them have, or nothing."""
    common = sorted(set.intersection(*(set(outcome.seeds) for outcome in outcomes)))
    if not common:
        return None
    return [
        Outcome(one.labels, tuple(common), one.speakers, one.folds, one.counts[[one.seeds.index(s) for s in common]])
        for one in outcomes
    ]


def _paired(outcomes: Mapping[str, Outcome | None], seed: int) -> list[dict[str, Any]]:
    rows = []
    scored = {name: outcome for name, outcome in outcomes.items() if outcome is not None}
    for (first, one), (second, other) in combinations(scored.items(), 2):
        pair = _same_seeds([one, other])
        if pair is None:
            continue
        for metric in METRICS:
            found = _difference(pair[0], pair[1], metric, seed)
            rows.append({"first": first, "second": second, "metric": metric, **found})
    return rows


def _gaps(outcomes: Mapping[str, Outcome | None], seed: int) -> dict[str, Any]:
    """Of every mode between the floor and real speech, where there are both."""
    floor, real = outcomes.get(FLOOR), outcomes.get(REAL)
    if floor is None or real is None:
        return {}
    closed = {}
    for name, outcome in outcomes.items():
        three = None if name in (REAL, FLOOR) or outcome is None else _same_seeds([outcome, floor, real])
        if three:
            found = gap_closed(three[0], three[1], three[2], seed=seed)
            closed[name] = (
                None if found is None else {key: getattr(found, key) for key in ("value", "low", "high", "n")}
            )
    return closed


def _quality(done: Sequence[Unit], store: Store) -> dict[str, Any]:
    """Mean and deviation over folds, of each fold's mean over seeds; controls stand last."""
    measured: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for unit in done:
        if unit.kind == "quality":
            measured.setdefault(unit.subject, {}).setdefault(unit.place, []).append(store.read(unit, QUALITY))
    order = sorted(measured, key=lambda name: name in (COPYING, NOISE))
    return {name: _measures(list(measured[name].values())) for name in order}


def _measures(by_fold: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for measure in MEASURES:
        values = [[one[measure] for one in fold] for fold in by_fold]
        if any(value is None for fold in values for value in fold):
            found[measure] = None
            continue
        means = [float(np.mean(fold)) for fold in values]
        deviation = float(np.std(means, ddof=1)) if len(means) > 1 else None
        found[measure] = {"mean": float(np.mean(means)), "std_over_folds": deviation}
    return found | {"generated": by_fold[0][0]["generated"]}


def _quarantined(units: Sequence[Unit], store: Store) -> list[dict[str, Any]]:
    """Each once, whichever modes and settings would have drawn from it."""
    reasons = {(unit.place, unit.seed): store.aside(unit) for unit in units if unit.kind == "tune"}
    return [
        {"session": session, "seed": seed, "reason": reason} for (session, seed), reason in reasons.items() if reason
    ]


def _failures(units: Sequence[Unit], failures: Mapping[str, str]) -> list[dict[str, Any]]:
    rows = []
    for unit in units:
        if unit.key in failures:
            named = {"unit": str(unit), "modes": sorted(_needed_for(unit, units)), "fold": unit.place}
            rows.append({**named, "seed": unit.seed, "reason": failures[unit.key]})
    return rows


def _needed_for(unit: Unit, units: Sequence[Unit]) -> set[str]:
    """The rows whose score or quality cannot be had without a unit; `units` has each after those that it needs."""
    lost = {unit.key}
    for other in units:
        if any(need.key in lost for need in other.needs):
            lost.add(other.key)
    return {other.row for other in units if other.key in lost and other.kind in ("score", "quality")}


def seconds_of(units: Sequence[Unit], store: Store, cached: set[str], wall: float) -> dict[str, Any]:
    """What each stage took, and this command."""
    stages: dict[str, Any] = {}
    for kind in KINDS:
        cards = {unit.key: card for unit in units if unit.kind == kind and (card := store.card(unit)) is not None}
        if cards:
            seconds = round(sum(card["seconds"] for card in cards.values()), 1)
            stages[kind] = {"seconds": seconds, "units": len(cards), "cached": len(cached & set(cards))}
    return {**stages, "wall": round(wall, 1)}


def environment(setting: Setting, workers: int, precisions: Sequence[str]) -> dict[str, Any]:
    """What the numbers were made with; no name of a machine and no path."""
    found = processor()
    return {
        "eyesoff": VERSION,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": found.seen.split(",")[0],
        "cores": found.figures["cores"],
        "workers": workers,
        "device": str(Acceleration.from_runtime(setting.config.runtime).device),
        "precision": ", ".join(precisions),
    }
